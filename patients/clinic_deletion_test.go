package patients_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
)

// A patient may come between the moment when a clinic is found empty and its deletion.
func TestOnlyTheDemoPatientGoesWithAClinic(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	clinicID := bson.NewObjectID()
	for _, userID := range []string{"demo", "late"} {
		_, err := d.Collection(patients.CollectionName).InsertOne(t.Context(), patients.Patient{ClinicID: clinicID, UserID: userID})
		require.NoError(t, err)
	}
	r := patients.NewService(patients.Params{Database: d, Demo: config.Demo{PatientUserID: "demo"}})
	require.NoError(t, r.RecordAll(t.Context(), clinicID, nil))
	removed, err := r.RemoveAll(t.Context(), clinicID, nil)
	require.NoError(t, err)
	require.Equal(t, 1, removed)
	require.Len(t, testkit.Documents(t, d, patients.CollectionName, bson.D{{Key: "userId", Value: "late"}}), 1)
	require.Empty(t, testkit.Documents(t, d, "patient_deletions", bson.D{{Key: "patient.userId", Value: "late"}}), "the record would make others delete the account")
}
