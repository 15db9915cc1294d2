package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
)

func TestMatchWithoutActionFindsAndWritesNothing(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	timothy := e.timothy(t, bson.M{"summary": bson.M{"cgmStats": bson.M{"id": "s1"}}})
	before := e.patient(t, timothy)
	answer := e.match(t, e.send(t, e.order()), "", "DOB_FULLNAME")
	require.Equal(t, []string{timothy}, matched(t, answer))
	require.Equal(t, before, e.patient(t, timothy))

	body := answer.Object(t)
	require.Equal(t, e.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+e.clinicID, nil).Object(t), body["clinic"])
	require.Equal(t, e.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+e.clinicID+"/settings/ehr", nil).Object(t), body["settings"])
	shown := e.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+e.clinicID+"/patients/"+timothy, nil).Object(t)
	require.Equal(t, []any{shown}, body["patients"])
	require.NotContains(t, shown, "ehrSubscriptions")
	require.Contains(t, shown, "summary", "the worker reads it")
}

func TestEnableReportsSubscribesTheUniquePatient(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	timothy := e.timothy(t, nil)
	message := e.send(t, e.order())
	before := e.patient(t, timothy)

	answer := e.match(t, message, "ENABLE_REPORTS", "MRN_DOB")

	require.Equal(t, []string{timothy}, matched(t, answer))
	id, err := bson.ObjectIDFromHex(message)
	require.NoError(t, err)
	reports := e.reports(t, timothy)
	require.True(t, reports.Active)
	require.Equal(t, "redox", reports.Provider)
	require.Equal(t, []patients.MatchedMessage{{ID: id, DataModel: "Order", EventType: "New"}}, reports.MatchedMessages)
	require.True(t, e.patient(t, timothy).UpdatedTime.After(before.UpdatedTime))
	shown := answer.Object(t)["patients"].([]any)[0].(map[string]any)["updatedTime"].(string)
	at, err := time.Parse(time.RFC3339Nano, shown)
	require.NoError(t, err)
	require.True(t, at.Equal(before.UpdatedTime), "the answer shows the patient as it was")
}

func TestMessageActsOnceAndAnotherOneDisables(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	timothy := e.timothy(t, nil)
	message := e.send(t, e.order())
	e.match(t, message, "ENABLE_REPORTS", "MRN_DOB").OK(t, http.StatusOK)
	enabled := e.patient(t, timothy)

	require.Equal(t, []string{timothy}, matched(t, e.match(t, message, "DISABLE_REPORTS", "MRN_DOB")))
	require.Equal(t, enabled, e.patient(t, timothy), "the same message changes nothing")

	e.match(t, e.send(t, e.order()), "DISABLE_REPORTS", "MRN_DOB").OK(t, http.StatusOK)
	reports := e.reports(t, timothy)
	require.False(t, reports.Active)
	require.Len(t, reports.MatchedMessages, 2)
	require.Equal(t, enabled.EHRSubscriptions[patients.SummaryAndReports].CreatedAt, reports.CreatedAt)
}

func TestMatchesAtTheSameTimeSubscribeOnce(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	timothy := e.timothy(t, nil)
	message := e.send(t, e.order())
	var group sync.WaitGroup
	statuses := make([]int, 6)
	for i := range statuses {
		group.Go(func() { statuses[i] = e.match(t, message, "ENABLE_REPORTS", "MRN").Status })
	}
	group.Wait()
	for _, status := range statuses {
		require.Equal(t, http.StatusOK, status)
	}
	require.Len(t, e.reports(t, timothy).MatchedMessages, 1)
}

func TestCaseAndAccentsAreIgnoredAndSeveralMatchesWriteNothing(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	first := e.timothy(t, bson.M{"mrn": "x-ABC"})
	second := e.timothy(t, bson.M{"fullName": "tímothy BIXBY", "mrn": "other"})
	e.timothy(t, bson.M{"birthDate": "2008-01-07", "mrn": "third"})
	order := e.order()
	at(order, "Patient")["Identifiers"] = []any{map[string]any{"ID": "X-abc", "IDType": "mr"}}
	message := e.send(t, order)

	require.ElementsMatch(t, []string{first, second}, matched(t, e.match(t, message, "ENABLE_REPORTS", "DOB_FULLNAME")))
	require.Empty(t, e.patient(t, first).EHRSubscriptions)
	require.Empty(t, e.patient(t, second).EHRSubscriptions)
	require.Equal(t, []string{first}, matched(t, e.match(t, message, "", "MRN")))
	require.Equal(t, []string{first}, matched(t, e.match(t, message, "", "MRN_DOB")))
}

func TestCriteriaAreUnitedInTheirOrderAndCountAPatientOnce(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	byName := e.timothy(t, bson.M{"mrn": "other"})
	byMRN := e.timothy(t, bson.M{"fullName": "Ann Other"})
	message := e.send(t, e.order())
	require.Equal(t, []string{byMRN, byName}, matched(t, e.match(t, message, "", "MRN", "DOB_FULLNAME")))
	require.Equal(t, []string{byName, byMRN}, matched(t, e.match(t, message, "", "DOB_FULLNAME", "MRN")))
	require.Equal(t, []string{byMRN}, matched(t, e.match(t, message, "ENABLE_REPORTS", "MRN", "MRN", "MRN_DOB")))
	require.True(t, e.reports(t, byMRN).Active, "found twice is still one patient")
}

func TestMatchesAreSortedByNameAndStayInTheClinic(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	zoe := e.timothy(t, bson.M{"fullName": "Zoe", "mrn": "SAME"})
	amy := e.timothy(t, bson.M{"fullName": "amy", "mrn": "same"})
	elsewhere, err := bson.ObjectIDFromHex(ehr{App: e.App, source: "other-" + e.source}.connect(t, nil))
	require.NoError(t, err)
	e.timothy(t, bson.M{"mrn": "SAME", "clinicId": elsewhere})
	order := e.order()
	at(order, "Patient")["Identifiers"] = []any{map[string]any{"ID": "Same", "IDType": "MR"}}
	require.Equal(t, []string{amy, zoe}, matched(t, e.match(t, e.send(t, order), "", "MRN")))
}

func TestValuesOfTheOrderThatAreMissing(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	timothy := e.timothy(t, nil)
	blank := e.timothy(t, bson.M{"fullName": " ", "birthDate": "1999-09-09", "mrn": "blank"})
	only := e.timothy(t, bson.M{"fullName": "Sade", "birthDate": "1959-01-16", "mrn": "S"})
	identifiers := func(pairs ...string) (list []any) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, map[string]any{"ID": pairs[i], "IDType": pairs[i+1]})
		}
		return list
	}
	tests := map[string]struct {
		change   func(patient map[string]any)
		criteria string
		status   int
		text     string
		found    []string
	}{
		"no identifier of the type":       {func(p map[string]any) { p["Identifiers"] = identifiers("0000000001", "EPI") }, "DOB_FULLNAME", 200, "", nil},
		"no identifiers":                  {func(p map[string]any) { delete(p, "Identifiers") }, "DOB_FULLNAME", 200, "", nil},
		"identifiers null":                {func(p map[string]any) { p["Identifiers"] = nil }, "MRN", 200, "", nil},
		"no identifier and no birth date": {func(p map[string]any) { p["Identifiers"] = []any{}; delete(p, "Demographics") }, "MRN", 200, "", nil},
		"empty identifier":                {func(p map[string]any) { p["Identifiers"] = identifiers("", "MR") }, "DOB_FULLNAME", 200, "", nil},
		"empty identifier before another": {func(p map[string]any) { p["Identifiers"] = identifiers("", "MR", "0000000001", "MR") }, "MRN", 200, "", []string{timothy}},
		"first identifier of the type":    {func(p map[string]any) { p["Identifiers"] = identifiers("none", "MR", "0000000001", "MR") }, "MRN", 200, "", nil},
		"no birth date":                   {func(p map[string]any) { delete(at(p, "Demographics"), "DOB") }, "MRN", 400, "bad request: date of birth is missing", nil},
		"empty birth date":                {func(p map[string]any) { at(p, "Demographics")["DOB"] = "" }, "MRN", 400, "bad request: date of birth is missing", nil},
		"no demographics":                 {func(p map[string]any) { delete(p, "Demographics") }, "MRN", 400, "bad request: date of birth is missing", nil},
		"no names": {func(p map[string]any) {
			p["Demographics"] = map[string]any{"DOB": "2008-01-06", "FirstName": nil}
		}, "MRN", 400, "bad request: full name is missing", nil},
		"empty names": {func(p map[string]any) {
			p["Demographics"] = map[string]any{"DOB": "1999-09-09", "FirstName": "", "LastName": ""}
		}, "DOB_FULLNAME", 200, "", []string{blank}},
		"first name only": {func(p map[string]any) {
			p["Demographics"] = map[string]any{"DOB": "1959-01-16", "FirstName": "Sade"}
		}, "DOB_FULLNAME", 200, "", []string{only}},
		"numeric birth date": {func(p map[string]any) { at(p, "Demographics")["DOB"] = 5 }, "MRN", 400, "bad request: Patient.Demographics.DOB of the order is not a string", nil},
		"identifiers a text": {func(p map[string]any) { p["Identifiers"] = "0000000001" }, "MRN", 400, "bad request: Patient.Identifiers of the order is not a list", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			order := e.order()
			test.change(at(order, "Patient"))
			answer := e.match(t, e.send(t, order), "", test.criteria)
			if test.text != "" {
				answer.Fails(t, test.status, test.text)
				return
			}
			require.Equal(t, test.found, matched(t, answer))
		})
	}
}

func TestClinicAloneNeedsNothingOfThePatient(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	order := e.order()
	delete(order, "Patient")
	at(order, "Order")["ID"] = 17 // of a wrong type, but nobody needs it
	answer := e.match(t, e.send(t, order), "")
	require.Empty(t, matched(t, answer))
	require.Equal(t, e.clinicID, at(answer.Object(t), "clinic")["id"])
}

func TestNamesOfMembersAreRecognisedInAnyCase(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	timothy := e.timothy(t, nil)
	for _, change := range []func(string) string{strings.ToLower, strings.ToUpper} {
		name := change
		demographics := map[string]any{name("FirstName"): "Timothy", name("LastName"): "Bixby", name("DOB"): "2008-01-06"}
		identifier := map[string]any{name("ID"): "0000000001", name("IDType"): "MR"}
		order := map[string]any{
			// send adds Meta with a log; both spellings are one object.
			"Meta":            map[string]any{},
			name("meta") + "": map[string]any{name("DataModel"): "Order", name("EventType"): "New", name("Source"): map[string]any{name("ID"): e.source}},
			name("Patient"):   map[string]any{name("Identifiers"): []any{identifier}, name("Demographics"): demographics},
		}
		require.Equal(t, []string{timothy}, matched(t, e.match(t, e.send(t, order), "", "MRN_DOB")))
	}
}

func TestSourceDecidesTheClinic(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	twin := newEHR(t, nil)
	twin.connect(t, nil)
	off := newEHR(t, map[string]any{"enabled": false})
	xealth := newEHR(t, map[string]any{"provider": "xealth"})
	half := newEHR(t, nil)
	half.connect(t, map[string]any{"enabled": false})
	tests := map[string]struct {
		source any
		status int
		text   string
	}{
		"absent":              {nil, 400, "bad request: source id is required"},
		"empty object":        {map[string]any{}, 400, "bad request: source id is required"},
		"id null":             {map[string]any{"ID": nil}, 400, "bad request: source id is required"},
		"id empty":            {map[string]any{"ID": ""}, 400, "bad request: source id is required"},
		"unknown":             {map[string]any{"ID": "nowhere"}, 404, "not found: couldn't find a matching clinic"},
		"other case":          {map[string]any{"ID": strings.ToUpper(e.source)}, 404, "not found: couldn't find a matching clinic"},
		"trailing blank":      {map[string]any{"ID": e.source + " "}, 404, "not found: couldn't find a matching clinic"},
		"disabled":            {map[string]any{"ID": off.source}, 404, "not found: couldn't find a matching clinic"},
		"of Xealth":           {map[string]any{"ID": xealth.source}, 404, "not found: couldn't find a matching clinic"},
		"two clinics":         {map[string]any{"ID": twin.source}, 409, "duplicate: multiple matching clinics found"},
		"one enabled of two":  {map[string]any{"ID": half.source}, 200, ""},
		"spelled in low case": {map[string]any{"id": e.source}, 200, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			order := e.order()
			at(order, "Meta")["Source"] = test.source
			answer := e.match(t, e.send(t, order), "", "MRN").OK(t, test.status)
			if test.text != "" {
				answer.Fails(t, test.status, test.text)
			}
		})
	}
}

func TestEmptyIdentifierTypeOfAClinicMeansMRN(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	clinicID, err := bson.ObjectIDFromHex(e.clinicID)
	require.NoError(t, err)
	_, err = e.Store.Collection("clinics").UpdateByID(t.Context(), clinicID, bson.M{"$set": bson.M{"ehrSettings.mrnIdType": ""}})
	require.NoError(t, err)
	timothy := e.timothy(t, nil)
	order := e.order()
	at(order, "Patient")["Identifiers"] = []any{map[string]any{"ID": "0000000001", "IDType": "mrn"}}
	require.Equal(t, []string{timothy}, matched(t, e.match(t, e.send(t, order), "", "MRN")))
}
