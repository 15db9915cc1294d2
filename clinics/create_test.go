package clinics_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// startDrawing starts a service that draws the given share codes, and then the last one for ever.
func startDrawing(t *testing.T, codes ...string) (*testkit.App, *clinics.Lifecycle, *int) {
	t.Helper()
	var service *clinics.Lifecycle
	app := testkit.Start(t, testkit.Populate(&service))
	drawn := 0
	service.DrawShareCodes(func() string {
		drawn++
		return codes[min(drawn, len(codes))-1]
	})
	return app, service, &drawn
}

func TestANewClinicGetsAShareCodeThatNoOtherHas(t *testing.T) {
	t.Parallel()
	app, service, drawn := startDrawing(t, "A", "A", "INHERITED", "B", "B")
	user := app.NewUser(t, "Ada Admin")
	first, err := service.Create(t.Context(), user, clinics.Profile{})
	require.NoError(t, err)
	_, err = app.Store.Collection(clinics.CollectionName).UpdateByID(t.Context(), first.ID, bson.D{{Key: "$push", Value: bson.D{{Key: "shareCodes", Value: "INHERITED"}}}})
	require.NoError(t, err)
	second, err := service.Create(t.Context(), user, clinics.Profile{})
	require.NoError(t, err)
	require.Equal(t, []string{"B"}, second.ShareCodes)
	require.Equal(t, 4, *drawn)

	_, err = service.Create(t.Context(), user, clinics.Profile{})
	require.ErrorIs(t, err, clinics.ErrDuplicateShareCode)
	require.Equal(t, 104, *drawn, "a hundred draws, then it gives up")
	require.Len(t, testkit.Documents(t, app.Store, clinics.CollectionName, bson.D{}), 2)
	require.Len(t, testkit.Documents(t, app.Store, "clinicians", bson.D{}), 2)
}

// A clinic that gets the same code after the check is the one case in which the unique index speaks. The canonical code
// alone is not looked for, and so plays that clinic here.
func TestACodeThatIsTakenAfterTheCheckIsDrawnAgain(t *testing.T) {
	t.Parallel()
	app, service, drawn := startDrawing(t, "A", "B")
	_, err := app.Store.Collection(clinics.CollectionName).InsertOne(t.Context(), bson.D{{Key: "canonicalShareCode", Value: "A"}, {Key: "shareCodes", Value: bson.A{"OTHER"}}})
	require.NoError(t, err)
	clinic, err := service.Create(t.Context(), app.NewUser(t, "Ada Admin"), clinics.Profile{Name: "Harbour"})
	require.NoError(t, err)
	require.Equal(t, "B", clinic.CanonicalShareCode)
	require.Equal(t, 2, *drawn)
	members := testkit.Documents(t, app.Store, "clinicians", bson.D{})
	require.Len(t, members, 1, "the first attempt left nothing")
	require.Equal(t, clinic.ID, members[0]["clinicId"])
}

func TestAClinicThatCannotBeWrittenLeavesNothing(t *testing.T) {
	t.Parallel()
	app, service, _ := startDrawing(t, "A", "B")
	user := app.NewUser(t, "Ada Admin")
	_, err := service.Create(t.Context(), user, clinics.Profile{})
	require.NoError(t, err)
	_, err = app.Store.Collection("clinicians").Indexes().CreateOne(t.Context(), mongo.IndexModel{
		Keys: bson.D{{Key: "userId", Value: 1}}, Options: options.Index().SetUnique(true).SetName("Refuse"),
	})
	require.NoError(t, err)
	_, err = service.Create(t.Context(), user, clinics.Profile{})
	require.True(t, errs.Is(err, errs.Internal), "%v", err)
	require.Len(t, testkit.Documents(t, app.Store, clinics.CollectionName, bson.D{}), 1)
	require.Len(t, testkit.Documents(t, app.Store, "clinicians", bson.D{}), 1)
}

func TestManyClinicsAtOnceAllGetMembersAndCodes(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	user := testkit.User(app.NewUser(t, "Ada Admin"))
	codes := make(chan string, 20)
	for range cap(codes) {
		go func() {
			response := app.Call(t, user, http.MethodPost, "/v1/clinics", `{"name":"x","preferredBgUnits":"mg/dL"}`)
			code, _ := response.Object(t)["shareCode"].(string)
			codes <- code
		}()
	}
	var all []string
	for range cap(codes) {
		all = append(all, <-codes)
	}
	slices.Sort(all)
	require.Len(t, slices.Compact(all), cap(codes))
	require.Len(t, testkit.Documents(t, app.Store, "clinicians", bson.D{}), cap(codes))
}
