package patients_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// leavingCaller is a user service whose caller goes away just when the account was made or changed.
type leavingCaller struct {
	patients.Accounts
	leave context.CancelFunc
}

func (l leavingCaller) CreateCustodialUser(context.Context, string, string) (platform.User, error) {
	l.leave()
	return platform.User{UserID: "a1b2c3d4e5"}, nil
}

func (l leavingCaller) UpdateUser(context.Context, string, string) error {
	l.leave()
	return nil
}

func TestRecordFollowsTheAccountAlthoughTheCallerLeaves(t *testing.T) {
	t.Parallel()
	var (
		owners  *clinics.Service
		numbers *census.Service
		leases  *store.Leases
		shared  *store.Database // the service's own, because sessions belong to a connection
	)
	app := testkit.Start(t, testkit.Populate(&owners, &numbers, &leases, &shared))
	hex, _ := app.NewClinic(t)
	clinicID, err := bson.ObjectIDFromHex(hex)
	require.NoError(t, err)
	with := func(call func(ctx context.Context, s *patients.Service) error) {
		t.Helper()
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		s := patients.NewService(patients.Params{
			Database: shared, Leases: leases, Clinics: owners, Census: numbers, Accounts: leavingCaller{leave: leave}, Log: zap.NewNop(),
		})
		require.NoError(t, call(ctx, s))
		require.Error(t, ctx.Err())
	}

	with(func(ctx context.Context, s *patients.Service) error {
		_, err := s.CreateCustodial(ctx, clinicID, patients.Details{FullName: "Ann", BirthDate: "2001-02-03"}, nil)
		return err
	})
	with(func(ctx context.Context, s *patients.Service) error {
		_, err := s.Update(ctx, clinicID, "a1b2c3d4e5", patients.Details{FullName: "Bea", BirthDate: "2001-02-03", Tags: patients.TagIDs{bson.NewObjectID()}})
		return err
	})
	patient := app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+hex+"/patients/a1b2c3d4e5", nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "Bea", patient["fullName"])
	require.Len(t, patient["tags"], 1)
	count := app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+hex+"/patient_count", nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, 1.0, count["total"])
}

func TestSummariesAreFoundByAnIndex(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "it explains no such plan")
	d := testkit.Database(t)
	var many []any // an index is no help with few
	for range 1000 {
		many = append(many, bson.M{"userId": testkit.NewUserID()})
	}
	_, err := d.Collection(patients.CollectionName).InsertMany(t.Context(), many)
	require.NoError(t, err)
	for half, index := range map[string]string{"cgmStats": "PatientCGMSummary", "bgmStats": "PatientBGMSummary"} {
		var plan bson.Raw
		require.NoError(t, d.RunCommand(t.Context(), bson.D{{Key: "explain", Value: bson.D{
			{Key: "find", Value: patients.CollectionName}, {Key: "filter", Value: bson.M{"summary." + half + ".id": "0a"}},
		}}}).Decode(&plan))
		require.Contains(t, plan.String(), index)
	}
}
