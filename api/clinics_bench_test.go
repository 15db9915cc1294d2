package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
)

const (
	benchGroups   = 50 // tags, and as many sites
	benchPatients = 20_000
	benchBatch    = 1_000
)

// BenchmarkGetClinic compares GetClinic, for a large clinic with many tags and sites, with what the driver alone takes to
// read the clinic document. The metric x-driver is the ratio.
func BenchmarkGetClinic(b *testing.B) {
	var handlers *api.Handlers
	app := testkit.Start(b, testkit.Populate(&handlers))
	id := largeClinic(b, app)
	request := gen.GetClinicRequestObject{ClinicId: id}
	first, err := handlers.GetClinic(b.Context(), request) // counts the patients, once
	require.NoError(b, err)
	require.Equal(b, benchPatients/benchGroups, (*first.(gen.GetClinic200JSONResponse).PatientTags)[0].NumPatients)

	var ours, bare time.Duration
	for b.Loop() {
		start := time.Now()
		_, err := handlers.GetClinic(b.Context(), request)
		ours += time.Since(start)
		require.NoError(b, err)

		start = time.Now()
		_, err = app.Store.Collection(clinics.CollectionName).FindOne(b.Context(), bson.D{{Key: "_id", Value: id}}).Raw()
		bare += time.Since(start)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "us/GetClinic")
	b.ReportMetric(float64(bare.Microseconds())/float64(b.N), "us/driver")
	b.ReportMetric(float64(ours)/float64(bare), "x-driver")
}

func largeClinic(b *testing.B, app *testkit.App) bson.ObjectID {
	b.Helper()
	id := bson.NewObjectID()
	clinic := clinics.Clinic{ID: id, CanonicalShareCode: "A", ShareCodes: []string{"A"}, IsMigrated: true}
	for i := range benchGroups {
		clinic.PatientTags = append(clinic.PatientTags, clinics.PatientTag{ID: bson.NewObjectID(), Name: fmt.Sprintf("Tag %d", i)})
		clinic.Sites = append(clinic.Sites, clinics.Site{ID: bson.NewObjectID(), Name: fmt.Sprintf("Site %d", i)})
	}
	_, err := app.Store.Collection(clinics.CollectionName).InsertOne(b.Context(), clinic)
	require.NoError(b, err)
	for from := 0; from < benchPatients; from += benchBatch {
		batch := make([]any, 0, benchBatch)
		for i := from; i < from+benchBatch; i++ {
			site := clinic.Sites[i%benchGroups]
			batch = append(batch, bson.D{
				{Key: "clinicId", Value: id}, {Key: "userId", Value: fmt.Sprintf("%010x", i)}, {Key: "fullName", Value: fmt.Sprintf("Patient %d", i)},
				{Key: "tags", Value: bson.A{clinic.PatientTags[i%benchGroups].ID}},
				{Key: "sites", Value: bson.A{bson.D{{Key: "id", Value: site.ID}, {Key: "name", Value: site.Name}}}},
				{Key: "summary", Value: bson.D{{Key: "cgmStats", Value: strings.Repeat("x", 4_000)}}},
			})
		}
		_, err := app.Store.Collection("patients").InsertMany(b.Context(), batch)
		require.NoError(b, err)
	}
	return id
}
