package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestListPatientDuplicates(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, admin := app.NewClinic(t)
	path := "/v1/clinics/" + clinicID + "/patient_duplicates"
	empty := app.Call(t, testkit.User(admin), http.MethodGet, path, nil).OK(t, http.StatusOK)
	require.JSONEq(t, `{"data": [], "meta": {"count": 0}}`, string(empty.Body))
	unknown := app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+bson.NewObjectID().Hex()+"/patient_duplicates", nil).OK(t, http.StatusOK)
	require.JSONEq(t, string(empty.Body), string(unknown.Body))

	first := app.NewPatient(t, clinicID, "Ann Example", map[string]any{"birthDate": "2001-02-03", "mrn": "A1234", "email": testkit.NewUserID() + "@example.com"})
	second := app.NewPatient(t, clinicID, "Example, Ann", map[string]any{"birthDate": "2001-02-03", "mrn": "a-1234"})
	third := app.NewPatient(t, clinicID, "Ann Example", map[string]any{"birthDate": "1999-02-03"})
	app.NewPatient(t, clinicID, "Somebody Else", map[string]any{"birthDate": "2001-02-03"})
	row := func(of map[string]any) map[string]any {
		shown := map[string]any{}
		for _, member := range []string{"id", "fullName", "birthDate", "mrn", "email", "createdTime"} {
			if value, ok := of[member]; ok {
				shown[member] = value
			}
		}
		return shown
	}
	likely := map[string]any{"by": []any{"mrn", "fullNameAndBirthDate"}, "count": 2.0, "patients": []any{row(first), row(second)}}
	named := map[string]any{"by": []any{"fullName"}, "count": 3.0, "patients": []any{row(first), row(second), row(third)}}
	page := func(count float64, groups ...any) map[string]any {
		return map[string]any{"data": append([]any{}, groups...), "meta": map[string]any{"count": count}}
	}
	for query, want := range map[string]map[string]any{
		"": page(1, likely), "?by=mrn,fullNameAndBirthDate,email&limit=100": page(1, likely), "?by=fullName": page(1, named), "?offset=1": page(1),
		"?by=fullName,mrn,fullNameAndBirthDate&limit=1": page(2, likely), "?by=fullName,mrn,fullNameAndBirthDate&limit=1&offset=1": page(2, named), "?by=email": page(0),
	} {
		for _, caller := range []testkit.Caller{testkit.User(admin), testkit.Service} {
			require.Equal(t, want, app.Call(t, caller, http.MethodGet, path+query, nil).OK(t, http.StatusOK).Object(t), query)
		}
	}
	for _, query := range []string{"?by=", "?by=x", "?by=mrn,", "?by=mrn&by=email", "?limit=0", "?limit=101", "?offset=-1"} {
		app.Call(t, testkit.User(admin), http.MethodGet, path+query, nil).OK(t, http.StatusBadRequest)
	}
	member := app.NewMember(t, clinicID, "CLINIC_MEMBER")
	app.Call(t, testkit.User(member), http.MethodGet, path, nil).OK(t, http.StatusForbidden)
}
