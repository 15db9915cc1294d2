package patients_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// userService is a user service whose answers get lost.
type userService struct {
	users map[string]platform.User // by address
	lose  bool
}

func (u *userService) CreateCustodialUser(_ context.Context, _, email string) (platform.User, error) {
	if _, taken := u.users[email]; taken {
		return platform.User{}, errs.Duplicatef("email address is already taken")
	}
	user := platform.User{UserID: testkit.NewUserID(), Username: email}
	u.users[email] = user
	if u.lose {
		return platform.User{}, errors.New("the connection was cut off")
	}
	return user, nil
}

func (u *userService) GetUser(_ context.Context, email string) (platform.User, error) {
	user, ok := u.users[email]
	if !ok {
		return platform.User{}, errs.NotFoundf("no such user")
	}
	return user, nil
}

func (u *userService) UpdateUser(context.Context, string, string) error { return nil }

// desk is where patients are added.
type desk struct {
	*patients.Service
	users *userService
	store *store.Database
	app   *testkit.App
}

func newDesk(t *testing.T) desk {
	t.Helper()
	var (
		owners  *clinics.Service
		numbers *census.Service
		leases  *store.Leases
		shared  *store.Database // the service's own, because sessions belong to a connection
	)
	app := testkit.Start(t, testkit.Populate(&owners, &numbers, &leases, &shared))
	users := &userService{users: map[string]platform.User{}}
	service := patients.NewService(patients.Params{Database: shared, Leases: leases, Clinics: owners, Census: numbers, Accounts: users, Log: zap.NewNop()})
	return desk{Service: service, users: users, store: app.Store, app: app}
}

func (d desk) clinic(t *testing.T) bson.ObjectID {
	t.Helper()
	hex, _ := d.app.NewClinic(t)
	id, err := bson.ObjectIDFromHex(hex)
	require.NoError(t, err)
	return id
}

func (d desk) create(t *testing.T, clinicID bson.ObjectID, email string) (*patients.Patient, error) {
	t.Helper()
	return d.CreateCustodial(t.Context(), clinicID, patients.Details{FullName: "Ann", BirthDate: "2001-02-03", Email: &email}, nil)
}

// cut makes an account whose answer is lost, and returns its address.
func (d desk) cut(t *testing.T, clinicID bson.ObjectID) string {
	t.Helper()
	email := testkit.NewUserID() + "@example.com"
	d.users.lose = true
	_, err := d.create(t, clinicID, email)
	require.Error(t, err)
	d.users.lose = false
	require.Contains(t, d.users.users, email)
	return email
}

func (d desk) creations(t *testing.T) []bson.M {
	t.Helper()
	return testkit.Documents(t, d.store, "patient_creations", bson.M{})
}

func TestARepeatTakesOverTheAccountOfACreationThatWasCutOff(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.clinic(t)
	email := d.cut(t, id)
	require.NotContains(t, strings.ToLower(bsonText(t, d.creations(t))), email, "addresses do not lie about")

	patient, err := d.create(t, id, strings.ToUpper(email[:3])+email[3:])
	require.NoError(t, err)
	require.Equal(t, d.users.users[email].UserID, patient.UserID)
	require.Empty(t, d.creations(t))
	_, err = d.create(t, id, email)
	require.True(t, errs.Is(err, errs.Duplicate), err)
	require.Empty(t, d.creations(t))
}

func bsonText(t *testing.T, documents []bson.M) string {
	t.Helper()
	text, err := bson.MarshalExtJSON(bson.M{"all": documents}, false, false)
	require.NoError(t, err)
	return string(text)
}

func TestNoOtherAccountIsTakenOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tests := map[string]func(t *testing.T, id bson.ObjectID) string{
		"never began": func(*testing.T, bson.ObjectID) string {
			email := testkit.NewUserID() + "@example.com"
			d.users.users[email] = platform.User{UserID: testkit.NewUserID(), Username: email}
			return email
		},
		"somebody can log in": func(t *testing.T, id bson.ObjectID) string {
			email := d.cut(t, id)
			user := d.users.users[email]
			user.PasswordExists = true
			d.users.users[email] = user
			return email
		},
		"legacy clinic": func(t *testing.T, id bson.ObjectID) string {
			email := d.cut(t, id)
			user := d.users.users[email]
			user.Roles = []string{"clinic"}
			d.users.users[email] = user
			return email
		},
		"patient of another clinic": func(t *testing.T, id bson.ObjectID) string {
			email := d.cut(t, id)
			_, err := d.store.Collection("patients").InsertOne(t.Context(), bson.M{"clinicId": bson.NewObjectID(), "userId": d.users.users[email].UserID})
			require.NoError(t, err)
			return email
		},
		"was a patient": func(t *testing.T, id bson.ObjectID) string {
			email := d.cut(t, id)
			_, err := d.store.Collection("patient_deletions").InsertOne(t.Context(), bson.M{"patient": bson.M{"clinicId": id, "userId": d.users.users[email].UserID}})
			require.NoError(t, err)
			return email
		},
		"another clinic was cut off": func(t *testing.T, _ bson.ObjectID) string { return d.cut(t, d.clinic(t)) },
		"both clinics were cut off": func(t *testing.T, id bson.ObjectID) string {
			email := d.cut(t, id)
			delete(d.users.users, email)
			d.users.lose = true
			_, err := d.create(t, d.clinic(t), email)
			require.Error(t, err)
			d.users.lose = false
			return email
		},
	}
	for name, prepare := range tests { // one after the other: they share the user service
		id := d.clinic(t)
		email := prepare(t, id)
		for range 2 {
			_, err := d.create(t, id, email)
			require.True(t, errs.Is(err, errs.Duplicate), "%s: %v", name, err)
		}
		require.Empty(t, testkit.Documents(t, d.store, "patients", bson.M{"clinicId": id}), name)
	}
}

func TestARepeatDoesNotTakeTheAccountOfARequestThatMayBeAtWork(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.clinic(t)
	email := d.cut(t, id)
	_, err := d.store.Collection("patient_creations").UpdateMany(t.Context(), bson.M{}, bson.M{"$set": bson.M{"cutOff": false, "time": time.Now()}})
	require.NoError(t, err)
	_, err = d.create(t, id, email)
	require.True(t, errs.Is(err, errs.Unavailable), err)
	_, err = d.store.Collection("patient_creations").UpdateMany(t.Context(), bson.M{}, bson.M{"$set": bson.M{"time": time.Now().Add(-time.Minute)}})
	require.NoError(t, err)
	_, err = d.create(t, id, email)
	require.NoError(t, err)
}
