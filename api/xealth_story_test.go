package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestXealthStory goes the way of a patient from the first form to the report, and back, with the built service.
func TestXealthStory(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, &testkit.Run(t, nil).App, nil)
	adult := newAdult()
	email := testkit.NewUserID() + "@tidepool.org"

	form := x.preorder(t, x.initial(adult)).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "patient_enrollment_form", form["preorderFormInfo"].(object)["formId"])
	require.Equal(t, false, form["notOrderable"])
	trackingID := form["dataTrackingId"].(string)
	require.NotEmpty(t, trackingID)

	input := object{"patient": object{"email": email, "connectAbbott": true, "connectDexcom": true}}
	require.Equal(t, "{}\n", string(x.preorder(t, x.subsequent(adult, trackingID, input)).OK(t, http.StatusOK).Body))

	order := x.order(adult, trackingID)
	answer := x.notify(t, x.event(order, "new")).OK(t, http.StatusOK)
	require.Empty(t, answer.Body)
	require.Empty(t, answer.Header.Get("Content-Type"))

	patient := x.stored(t, adult)
	require.Equal(t, "FirstName First LastName Last", patient["fullName"])
	require.Equal(t, email, patient["email"])
	userID := patient["userId"].(string)
	shown := x.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+x.id+"/patients/"+userID, nil).OK(t, http.StatusOK).Object(t)
	requests := shown["connectionRequests"].(object)
	require.Len(t, requests["abbott"], 1)
	require.Len(t, requests["dexcom"], 1)

	ehrUser := "User_98768"
	require.Equal(t, object{
		"programId": xealthProgram, "title": "Tidepool", "enrolledDate": "2021-01-14", "has_alert": false, "hasStatusView": false,
		"description": "Last Upload: N/A | Last Viewed by You: N/A | Claimed Account?: No | Cloud Connections: Abbott (pending), Dexcom (pending)",
	}, program(t, x.programs(t, x.by(ehrUser, adult))))

	storeSummary(t, x, userID)
	seen := program(t, x.programs(t, x.by(ehrUser, adult)))
	require.Contains(t, seen["description"], "Last Upload: 2024-01-18 | Last Viewed by You: N/A")
	require.Equal(t, []any{true, true}, []any{seen["has_alert"], seen["hasStatusView"]})

	page := x.reportPage(t, x.by(ehrUser, adult))
	require.Equal(t, "https://app.example.com/v1/xealth/report/web/viewer.html", page.Scheme+"://"+page.Host+page.Path)
	require.Equal(t, []string{x.id, userID}, []string{page.Query().Get("clinicId"), page.Query().Get("patientId")})
	html := string(x.open(t, page).OK(t, http.StatusOK).Body)
	require.Contains(t, html, `window.PDF_URL = "https:\/\/app.example.com\/export\/report\/`+userID+`?bgUnits=mg%2FdL\u0026dob=1985-01-11`+
		`\u0026endDate=2024-01-17T06%3A38%3A22Z\u0026fullName=FirstName\u002bFirst\u002bLastName\u002bLast\u0026inline=true\u0026mrn=`+adult.mrn+
		`\u0026reports=all\u0026restricted_token=`+page.Query().Get("restricted_token")+`\u0026startDate=2024-01-03T06%3A38%3A22Z`+
		`\u0026tzName=US%2FPacific\u0026userId=`+userID+`"`)

	seen = program(t, x.programs(t, x.by(ehrUser, adult)))
	require.Contains(t, seen["description"], "Last Viewed by You: "+time.Now().UTC().Format(time.DateOnly))
	require.Equal(t, false, seen["has_alert"])
	seen = program(t, x.programs(t, x.by("somebody else", adult)))
	require.Contains(t, seen["description"], "Last Viewed by You: N/A")
	require.Equal(t, true, seen["has_alert"])

	x.notify(t, x.event(order, "cancel")).OK(t, http.StatusOK)
	require.Equal(t, object{"present": false}, x.programs(t, x.by(ehrUser, adult)))
	x.open(t, page).Fails(t, http.StatusUnauthorized, "unauthorized: patient doesn't have active subscriptions")

	require.JSONEq(t, `{}`, string(x.preorder(t, x.initial(adult)).OK(t, http.StatusOK).Body))
	changed := adult
	changed.born = "1985-01-12"
	require.Contains(t, paragraphs(t, x.preorder(t, x.initial(changed)).OK(t, http.StatusOK).Object(t))[0],
		"there's a mismatch with the patient's date of birth between Tidepool and the Electronic Health Record (EHR)")

	x.notify(t, x.event(order, "new")).OK(t, http.StatusOK)
	program(t, x.programs(t, x.by(ehrUser, adult)))
	x.open(t, page).OK(t, http.StatusOK)

	x.Call(t, testkit.User(x.admin), http.MethodDelete, "/v1/clinics/"+x.id+"/patients/"+userID, nil).OK(t, http.StatusNoContent)
	form = x.preorder(t, x.initial(adult)).OK(t, http.StatusOK).Object(t)
	require.Equal(t, false, form["notOrderable"])
	form = x.preorder(t, x.subsequent(adult, form["dataTrackingId"].(string), input)).OK(t, http.StatusOK).Object(t)
	require.Contains(t, paragraphs(t, form)[0], "The email address you chose is already in use with another account in Tidepool")
}

func TestXealthStoryOfAChild(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	child := newChild()
	form := x.preorder(t, x.initial(child)).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "guardian_enrollment_form", form["preorderFormInfo"].(object)["formId"])
	email := testkit.NewUserID() + "@Example.com"
	x.enroll(t, child, object{"guardian": object{"firstName": "Pia", "lastName": "Quist", "email": email}})
	patient := x.stored(t, child)
	require.Equal(t, "Bo LastName Last", patient["fullName"])
	require.Equal(t, email, patient["email"], "as it was entered")
}

// storeSummary stores statistics of a patient, who uploaded on the day before they were made.
func storeSummary(t *testing.T, x xealthClinic, userID string) {
	t.Helper()
	summary := object{"cgmStats": object{
		"id":     "5f0000000000000000000001",
		"config": object{"schemaVersion": 1, "highGlucoseThreshold": 10, "veryHighGlucoseThreshold": 13.9, "lowGlucoseThreshold": 3.9, "veryLowGlucoseThreshold": 3},
		"dates": object{
			"lastUpdatedDate": "2024-01-18T01:02:03Z", "lastUpdatedReason": []string{"UPLOAD_COMPLETED"},
			"hasFirstData": false, "hasLastData": true, "lastData": "2024-01-17T06:38:22.958Z",
			"hasLastUploadDate": true, "lastUploadDate": "2024-01-17T07:00:00Z", "hasOutdatedSince": false, "outdatedReason": []string{},
		},
		"periods": object{}, "offsetPeriods": object{}, "totalHours": 1,
	}}
	x.Call(t, testkit.Service, http.MethodPost, "/v1/patients/"+userID+"/summary", summary).OK(t, http.StatusOK)
}

func TestXealthTrackingIDsDiffer(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	seen := map[any]bool{}
	for range 3 {
		id := x.preorder(t, x.initial(p)).OK(t, http.StatusOK).Object(t)["dataTrackingId"].(string)
		parsed, err := uuid.Parse(id)
		require.NoError(t, err)
		require.EqualValues(t, 4, parsed.Version())
		seen[id] = true
	}
	require.Len(t, seen, 3)
}
