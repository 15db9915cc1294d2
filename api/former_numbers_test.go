package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// renamed returns what a health record says about a person whose number it has replaced.
func (x xealthClinic) renamed(p person, former ...object) object {
	return object{"patientIdentity": object{"ids": []object{{"id": p.mrn, "type": xealthMRNType}}, "historicalIds": former}}
}

func TestXealthFindsThePatientByANumberThatWasReplaced(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	before, now := newAdult(), newAdult()
	user := x.NewPatient(t, x.id, "Ann Known", object{"mrn": before.mrn, "birthDate": before.born})["id"]
	was := object{"id": before.mrn, "type": "ENTERPRISE"}

	require.JSONEq(t, `{}`, string(x.preorder(t, x.initial(now, x.renamed(now, was))).OK(t, http.StatusOK).Body), "no second account is offered")
	for _, other := range []object{{"id": before.mrn, "type": "mychart"}, {"id": "unknown", "type": xealthMRNType}, {}} {
		form := x.preorder(t, x.initial(now, x.renamed(now, other))).OK(t, http.StatusOK).Object(t)
		require.Equal(t, false, form["notOrderable"])
	}
	younger := now
	younger.born = "1985-01-12"
	require.NotEmpty(t, paragraphs(t, x.preorder(t, x.initial(younger, x.renamed(younger, was))).OK(t, http.StatusOK).Object(t)))

	x.notify(t, x.event(x.order(now, "", x.renamed(now, was)), "new")).OK(t, http.StatusOK)
	require.Equal(t, true, x.subscription(t, before)["active"])
	require.Equal(t, user, x.stored(t, before)["userId"])
	require.Equal(t, true, x.programs(t, x.about(now, x.renamed(now, was)))["present"])
	require.Contains(t, x.reportPage(t, x.about(now, x.renamed(now, was))).RawQuery, user)

	// Whoever has the number of now is meant, and two with replaced numbers cannot be told apart.
	third := newAdult()
	x.NewPatient(t, x.id, "Bob Known", object{"mrn": third.mrn, "birthDate": third.born})
	x.notify(t, x.event(x.order(third, "", x.renamed(third, was)), "cancel")).OK(t, http.StatusOK)
	require.Equal(t, false, x.subscription(t, third)["active"])
	x.notify(t, x.event(x.order(now, "", x.renamed(now, was, object{"id": third.mrn, "type": xealthMRNType})), "new")).
		Fails(t, http.StatusUnprocessableEntity, "handling new order: constraint violation: multiple matching patients found")

	for _, odd := range []any{"x", []any{7}, object{}, nil} { // an order does not fail by what it can do without
		identity := x.renamed(third)["patientIdentity"].(object)
		identity["historicalIds"] = odd
		x.notify(t, x.event(x.order(third, "", object{"patientIdentity": identity}), "cancel")).OK(t, http.StatusOK)
	}
}

// TestXealthOrdersByTheOldAndTheNewNumberMakeOneAccount: an order may be on its way while the health record replaces the number.
func TestXealthOrdersByTheOldAndTheNewNumberMakeOneAccount(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	before, now := newAdult(), newAdult()
	trackingID := uuid.NewString()
	x.preorder(t, x.subsequent(before, trackingID, nil)).OK(t, http.StatusOK)
	older := x.event(x.order(before, trackingID), "new")
	newer := x.event(x.order(now, trackingID, x.renamed(now, object{"id": before.mrn, "type": xealthMRNType})), "new")
	app.Standin.Fail("POST /v1/clinics/", standin.Fault{Delay: 200 * time.Millisecond, Times: 1})
	first := make(chan int)
	go func() { first <- x.notify(t, older).Status }()
	require.Eventually(t, func() bool { return app.Standin.Count("POST /v1/clinics/") == 1 }, 10*time.Second, time.Millisecond)
	x.notify(t, newer).OK(t, http.StatusOK)
	require.Equal(t, http.StatusOK, <-first)
	require.Equal(t, 1, app.Standin.Count("POST /v1/clinics/"))
}

func TestXealthDoesNotOfferAnAddressThatIsOld(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	offered := func(telecom ...object) any {
		p := newAdult()
		message := x.initial(p)
		message["datasets"].(object)["demographicsV1"].(object)["telecom"] = telecom
		form := x.preorder(t, message).OK(t, http.StatusOK).Object(t)
		return form["preorderFormInfo"].(object)["formData"].(object)["patient"].(object)["email"]
	}
	old := object{"system": "email", "value": "old@mail.example", "use": "old"}
	require.Nil(t, offered(old))
	require.Equal(t, "home@mail.example", offered(old, object{"system": "email", "value": "home@mail.example", "use": "home"}))
	require.Equal(t, "x@mail.example", offered(object{"system": "email", "value": "x@mail.example", "use": 7}))
}

func TestRedoxFindsThePatientByANumberThatWasReplaced(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	user := e.timothy(t, nil)
	order := e.order()
	patient := at(order, "Patient")
	identifiers := patient["Identifiers"]
	patient["Identifiers"] = []object{{"ID": "replacement", "IDType": "MR"}}
	require.Empty(t, e.match(t, e.send(t, order), "", "MRN_DOB").OK(t, http.StatusOK).Object(t)["patients"])
	for _, odd := range []any{"x", []any{7, nil}, []object{{"ID": 7, "IDType": "MR"}}} {
		patient["PreviousIdentifiers"] = odd
		require.Empty(t, e.match(t, e.send(t, order), "", "MRN_DOB").OK(t, http.StatusOK).Object(t)["patients"])
	}
	patient["PreviousIdentifiers"] = identifiers
	e.match(t, e.send(t, order), "ENABLE_REPORTS", "MRN_DOB").OK(t, http.StatusOK)
	require.True(t, e.reports(t, user).Active)
	require.Len(t, testkit.Documents(t, e.Store, "patients", bson.M{"userId": user}), 1)
}
