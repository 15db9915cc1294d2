package merge_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

const (
	manyPatients = 10_000 // in each of two clinics
	memoryLimit  = 256 << 20
	kills        = 10
)

// TestLargeMerge merges two large clinics with little memory, and again while the service is killed at random moments.
func TestLargeMerge(t *testing.T) {
	if os.Getenv("CLINIC_LONG_TESTS") == "" {
		t.Skip("the merge of two large clinics takes minutes and is not tested now: set CLINIC_LONG_TESTS=1, or run `make test-long`")
	}
	p := testkit.Run(t, map[string]string{"GOMEMLIMIT": "256MiB", "CLINIC_DEMO_PATIENT_USER_ID": demoUser})
	first := newCrowd(t, p.Store, "first", manyPatients)
	started := time.Now()
	first.merge(t, p).OK(t, http.StatusOK)
	took := time.Since(started)
	t.Logf("the merge took %v and %d MB", took, p.PeakMemory(t)>>20)
	require.Less(t, p.PeakMemory(t), memoryLimit)
	want := first.outcome(t, p.Store)

	killed := 0
	for n := 0; killed < kills; n++ {
		c := newCrowd(t, p.Store, fmt.Sprint("killed", n), manyPatients)
		killed += c.mergeAndKill(t, p, took, kills-killed)
		require.Equal(t, want, c.outcome(t, p.Store))
	}
	t.Logf("the service was killed %d times", killed)
}

// crowd is two clinics with many patients.
type crowd struct {
	label, source, target string
	size                  int // of each of the two clinics; one patient of five is in both
}

func newCrowd(t testing.TB, d *store.Database, label string, size int) crowd {
	t.Helper()
	c := crowd{label: label, source: id(label + "Source").Hex(), target: id(label + "Target").Hex(), size: size}
	for _, w := range []string{"Source", "Target"} {
		clinic := storedClinic(id(label+w), label+w, label+w, []string{"boss" + w}, []string{"Pump", "Type 1 " + w}, []string{"North", "Only " + w})
		insert(t, d, clinics.CollectionName, clinic)
		boss := storedMember(id(label+w), "boss"+w, bson.A{clinicians.RoleAdmin})
		boss[0].Value = bson.NewObjectID()
		insert(t, d, clinicians.CollectionName, boss)
		c.fill(t, d, w)
	}
	return c
}

// fill stores the patients of one of the clinics. The first of them are in both.
func (c crowd) fill(t testing.TB, d *store.Database, w string) {
	t.Helper()
	padding := strings.Repeat("statistics ", 200)
	clinicID := id(c.label + w)
	var batch []any
	for i := range c.size {
		user := fmt.Sprintf("%s%06d", w, i)
		if i < c.size/5 {
			user = fmt.Sprintf("both%06d", i)
		}
		patient := storedPatient(clinicID, user, bson.D{
			{Key: "fullName", Value: fmt.Sprintf("Patient %s %d", w, i)}, {Key: "mrn", Value: fmt.Sprintf("%s-%d", w, i)},
			{Key: "tags", Value: bson.A{id(c.label + w + "Pump")}}, {Key: "sites", Value: bson.A{site(id(c.label+w+"North"), "North")}},
			{Key: "summary", Value: bson.D{{Key: "cgmStats", Value: bson.D{{Key: "id", Value: padding}, {Key: "dates", Value: bson.D{{Key: "lastUploadDate", Value: then}}}}}}},
		})
		patient[0].Value = bson.NewObjectID()
		patient[3].Value = fmt.Sprintf("19%02d-01-02", i%100)
		if batch = append(batch, patient); len(batch) == 1000 {
			insert(t, d, patients.CollectionName, batch...)
			batch = batch[:0]
		}
	}
	if len(batch) > 0 {
		insert(t, d, patients.CollectionName, batch...)
	}
}

func (c crowd) merge(t *testing.T, p *testkit.Process) testkit.Response {
	t.Helper()
	return p.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+c.target+"/merge", map[string]any{"sourceId": c.source})
}

// mergeAndKill merges, kills the service at a random moment, starts it anew and repeats the call, until the merge is
// complete. It returns how often it killed, at most so often.
func (c crowd) mergeAndKill(t *testing.T, p *testkit.Process, took time.Duration, most int) int {
	t.Helper()
	for killed := 0; ; killed++ {
		done := make(chan int, 1)
		go func() {
			request, _ := http.NewRequest(http.MethodPost, p.URL+"/v1/clinics/"+c.target+"/merge", strings.NewReader(`{"sourceId":"`+c.source+`"}`))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("x-tidepool-session-token", string(testkit.Service))
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				done <- 0
				return
			}
			_ = answer.Body.Close() // it has none
			done <- answer.StatusCode
		}()
		wait := rand.N(took / 6)
		if killed > 0 {
			wait += 5 * time.Second // until the merge may be taken over from the dead process
		}
		if killed == most {
			wait = time.Hour
		}
		select {
		case status := <-done:
			require.Contains(t, []int{http.StatusOK, http.StatusNotFound}, status, "404 if it was complete before the service was killed")
			return killed
		case <-time.After(wait):
			environment := p.Environment()
			p.Kill()
			<-done
			p.Start(t, environment)
		}
	}
}

// outcome returns in few words what the merge left, the same for every crowd.
func (c crowd) outcome(t *testing.T, d *store.Database) map[string]any {
	t.Helper()
	targetID := id(c.label + "Target")
	clinic := one(t, d, clinics.CollectionName, byID(targetID))
	tags := map[bson.ObjectID]string{}
	for _, tag := range clinic["patientTags"].(bson.A) {
		tags[field(tag, "_id").(bson.ObjectID)] = field(tag, "name").(string)
	}
	require.Empty(t, testkit.Documents(t, d, clinics.CollectionName, byID(id(c.label+"Source"))))
	require.Empty(t, testkit.Documents(t, d, "open_merges", bson.D{}))
	require.Empty(t, testkit.Documents(t, d, "open_merge_steps", bson.D{}))
	total, err := d.Collection(patients.CollectionName).CountDocuments(t.Context(), bson.D{{Key: "clinicId", Value: id(c.label + "Source")}})
	require.NoError(t, err)
	require.Zero(t, total)

	outcome := map[string]any{"patients": c.patients(t, d, tags), "plans": c.plans(t, d)}
	require.EqualValues(t, 2*c.size-c.size/5, field(clinic["patientCount"], "total"))
	for _, collection := range []string{"clinic_deletions", "patient_deletions", "clinician_deletions"} {
		outcome[collection] = len(testkit.Documents(t, d, collection, bson.D{{Key: strings.TrimSuffix(collection, "_deletions") + "._id", Value: id(c.label + "Source")}}))
	}
	outcome["members"] = len(testkit.Documents(t, d, clinicians.CollectionName, bson.D{{Key: "clinicId", Value: targetID}}))
	return outcome
}

// patients returns the number of patients of the target and a digest of what they are.
func (c crowd) patients(t *testing.T, d *store.Database, tags map[bson.ObjectID]string) string {
	t.Helper()
	cursor, err := d.Collection(patients.CollectionName).Find(t.Context(), bson.D{{Key: "clinicId", Value: id(c.label + "Target")}}, options.Find().SetProjection(bson.D{{Key: "summary", Value: 0}}))
	require.NoError(t, err)
	var lines []string
	for cursor.Next(t.Context()) {
		var patient patients.Patient
		require.NoError(t, cursor.Decode(&patient))
		line := fmt.Sprint(patient.UserID, *patient.FullName, *patient.MRN, patient.RequireUniqueMRN)
		for _, tag := range patient.Tags {
			line += " " + tags[tag]
		}
		for _, site := range patient.Sites {
			line += " " + site.Name
		}
		lines = append(lines, line)
	}
	require.NoError(t, cursor.Err())
	slices.Sort(lines)
	return fmt.Sprintf("%d %x", len(lines), sha256.Sum256([]byte(strings.Join(lines, "\n"))))
}

// plans counts the plan documents by what they are about and what is done.
func (c crowd) plans(t *testing.T, d *store.Database) map[string]int {
	t.Helper()
	closing := one(t, d, merge.PlansCollectionName, bson.D{{Key: "plan.source._id", Value: id(c.label + "Source")}})
	cursor, err := d.Collection(merge.PlansCollectionName).Find(t.Context(), bson.D{{Key: "planId", Value: closing["planId"]}})
	require.NoError(t, err)
	counts := map[string]int{}
	for cursor.Next(t.Context()) {
		plan := cursor.Current.Lookup("plan").Document()
		action := ""
		for _, name := range []string{"tagAction", "siteAction", "patientAction", "clinicianAction"} {
			if value, ok := plan.Lookup(name).StringValueOK(); ok {
				action = value
			}
		}
		counts[cursor.Current.Lookup("type").StringValue()+" "+action]++
	}
	require.NoError(t, cursor.Err())
	return counts
}
