package feed_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/feed"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
)

func start(t *testing.T) (*testkit.App, *feed.Service) {
	t.Helper()
	testkit.NeedsTransactions(t)
	var s *feed.Service
	app := testkit.Start(t, testkit.Populate(&s))
	s.Heartbeat, s.Lifetime = 2*time.Second, time.Minute
	return app, s
}

func follow(t *testing.T, s *feed.Service, after string) *feed.Follower {
	t.Helper()
	f, err := s.Follow(t.Context(), after)
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

// until returns the changes up to the one that is wanted.
func until(t *testing.T, f *feed.Follower, wanted func(feed.Change) bool) (all []feed.Change) {
	t.Helper()
	for range 100 {
		change, err := f.Next()
		require.NoError(t, err)
		require.NotNil(t, change, "only %v came", all)
		all = append(all, *change)
		if wanted(*change) {
			return all
		}
	}
	require.Fail(t, "it did not come")
	return nil
}

func is(kind, operation string) func(feed.Change) bool {
	return func(c feed.Change) bool { return c.Kind == kind && c.Operation == operation }
}

func last(changes []feed.Change) feed.Change { return changes[len(changes)-1] }

func TestChangesSayWhatChangedAndNothingOfThePatient(t *testing.T) {
	t.Parallel()
	app, s := start(t)
	f := follow(t, s, "")
	clinicID, adminID := app.NewClinic(t)
	require.Equal(t, clinicID, last(until(t, f, is("clinic", "insert"))).ClinicID)
	patient := app.NewPatient(t, clinicID, "Ann Example", map[string]any{"mrn": "m-1"})["id"].(string)
	made := last(until(t, f, is("patient", "insert")))
	require.Equal(t, feed.Change{
		Kind: "patient", Operation: "insert", ID: made.ID, ClinicID: clinicID, PatientID: patient, Time: made.Time, Token: made.Token,
	}, made)
	require.WithinDuration(t, time.Now(), made.Time, time.Minute)

	path := "/v1/clinics/" + clinicID + "/patients/" + patient
	app.Call(t, testkit.Service, http.MethodPut, path, map[string]any{"fullName": "Ann Other", "birthDate": "1990-05-06", "mrn": "m-2"}).OK(t, http.StatusOK)
	require.Equal(t, []string{"fullName", "mrn", "updatedTime"}, last(until(t, f, is("patient", "update"))).Fields)
	app.Call(t, testkit.User(adminID), http.MethodDelete, path, nil).OK(t, http.StatusNoContent)
	gone := last(until(t, f, is("patient", "delete")))
	require.Equal(t, []string{clinicID, patient, made.ID}, []string{gone.ClinicID, gone.PatientID, gone.ID}, "as the record of the deletion says")

	member := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	require.Equal(t, member, last(until(t, f, is("clinician", "insert"))).ClinicianID)
	app.Call(t, testkit.User(adminID), http.MethodDelete, "/v1/clinics/"+clinicID+"/clinicians/"+member, nil)
	require.Equal(t, member, last(until(t, f, is("clinician", "delete"))).ClinicianID)

	for _, model := range []string{"Scheduling", "Order"} {
		_, err := app.Store.Collection("redox").InsertOne(t.Context(), bson.M{"meta": bson.M{"DataModel": model, "EventType": "New"}, "message": bson.M{"x": "secret"}})
		require.NoError(t, err)
	}
	_, err := app.Store.Collection("xealth_order").InsertOne(t.Context(), bson.M{"orderData": bson.M{"x": "secret"}})
	require.NoError(t, err)
	orders := 0
	for _, change := range until(t, f, is("xealthOrder", "insert")) {
		if change.Kind == "redoxOrder" {
			orders++
		}
	}
	require.Equal(t, 1, orders, "other messages are not told")
	silence, err := f.Next()
	require.NoError(t, err)
	require.Nil(t, silence)
	require.NotEmpty(t, f.Token())
}

func TestWhoGoesOnByATokenMissesNothing(t *testing.T) {
	t.Parallel()
	app, s := start(t)
	f := follow(t, s, "")
	begin := f.Token()
	require.NotEmpty(t, begin, "also one who has seen nothing yet can go on")
	clinicID, _ := app.NewClinic(t)
	var ids []string
	for range 5 {
		ids = append(ids, app.NewPatient(t, clinicID, "Ann Example", nil)["id"].(string))
	}
	token := begin
	for _, id := range ids { // each is seen by a follower of its own
		change := last(until(t, follow(t, s, token), is("patient", "insert")))
		require.Equal(t, id, change.PatientID)
		token = change.Token
	}
	for _, bad := range []string{"x", "!", "AAAA"} {
		_, err := s.Follow(t.Context(), bad)
		require.True(t, errs.Is(err, errs.BadRequest), err)
	}
}

func TestFollowersAreBoundedAndEndWithTheProcess(t *testing.T) {
	t.Parallel()
	_, s := start(t)
	var all []*feed.Follower
	for {
		f, err := s.Follow(t.Context(), "")
		if err != nil {
			require.Equal(t, "followers_full", string(errs.ReasonOf(err)))
			break
		}
		all = append(all, f)
		require.LessOrEqual(t, len(all), 16)
	}
	all[0].Close()
	all[0] = follow(t, s, "")
	ended := make(chan error, 1)
	go func() {
		_, err := all[0].Next()
		ended <- err
	}()
	s.End()
	select {
	case err := <-ended:
		require.ErrorIs(t, err, io.EOF)
	case <-time.After(time.Second):
		require.Fail(t, "it waits on")
	}
	for _, f := range all {
		f.Close()
	}
	require.Zero(t, s.Followers())
	_, err := s.Follow(t.Context(), "")
	require.Equal(t, "service_ending", string(errs.ReasonOf(err)))
}

func TestAnEngineWithoutChangeStreamsSaysSo(t *testing.T) {
	t.Parallel()
	testkit.WithoutTransactions(t, "and change streams")
	var s *feed.Service
	testkit.Start(t, testkit.Populate(&s))
	_, err := s.Follow(t.Context(), "")
	require.True(t, errs.Is(err, errs.Unsupported), err)
}
