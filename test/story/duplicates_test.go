package story_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestADuplicateIsFoundAndRemoved: a patient was registered twice, and an admin finds it out before both charts grow.
func TestADuplicateIsFoundAndRemoved(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	clinicID, admin := service.NewClinic(t)
	clinic := "/v1/clinics/" + clinicID
	service.NewPatient(t, clinicID, "Zoë O’Brien", map[string]any{"birthDate": "2001-02-03", "mrn": "A-17"})
	twice := service.NewPatient(t, clinicID, "O'BRIEN, Zoe", map[string]any{"birthDate": "2001-02-03", "mrn": "18"})
	service.NewPatient(t, clinicID, "Zoe O'Brien", map[string]any{"birthDate": "1999-02-03", "mrn": "19"})
	type page struct {
		Data []struct {
			By       []string
			Patients []struct{ ID, FullName string }
		}
	}
	var found page
	service.Call(t, testkit.User(admin), http.MethodGet, clinic+"/patient_duplicates", nil).OK(t, http.StatusOK).Into(t, &found)
	require.Len(t, found.Data, 1)
	require.Equal(t, []string{"fullNameAndBirthDate"}, found.Data[0].By)
	require.Len(t, found.Data[0].Patients, 2)
	require.Equal(t, twice["id"], found.Data[0].Patients[1].ID)

	service.Call(t, testkit.User(admin), http.MethodDelete, clinic+"/patients/"+found.Data[0].Patients[1].ID, nil).OK(t, http.StatusNoContent)
	found = page{}
	service.Call(t, testkit.User(admin), http.MethodGet, clinic+"/patient_duplicates", nil).OK(t, http.StatusOK).Into(t, &found)
	require.Empty(t, found.Data)
	service.Call(t, testkit.User(admin), http.MethodGet, clinic+"/patient_duplicates?by=fullName", nil).OK(t, http.StatusOK).Into(t, &found)
	require.Len(t, found.Data, 1, "the name alone says little, and is compared when it is asked for")
	require.Zero(t, service.Stop(t))
}
