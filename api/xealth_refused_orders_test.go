package api_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestXealthNewPatientNeedsAForm(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	x.notify(t, x.event(x.order(p, ""), "new")).
		Fails(t, http.StatusBadRequest, "unable to create patient create: bad request: preorder data is required to create a new patient")
	// A patient whom the clinic added itself needs none.
	x.NewPatient(t, x.id, "Ann Known", object{"mrn": p.mrn, "birthDate": p.born})
	x.notify(t, x.event(x.order(p, "lost"), "new")).OK(t, http.StatusOK)
	require.Equal(t, true, x.subscription(t, p)["active"])
	require.Equal(t, "Ann Known", x.stored(t, p)["fullName"])
}

func TestXealthOrderOfAnotherDeploymentOrProgram(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	p := newAdult()
	orderInfo := func(id, deployment string) object {
		return object{"orderInfo": object{"deployment": deployment, "orderId": id}}
	}
	app.Standin.AddOrder(x.deployment, "1", x.about(p, orderInfo("1", "nowhere")))
	x.notify(t, x.event("1", "new")).OK(t, http.StatusOK)
	require.Len(t, x.storedOrders(t), 1)
	require.NotEmpty(t, app.Log.FilterMessage("an order is for a deployment that no clinic has").All())

	other := newXealthClinic(t, app, object{"procedureCodes": object{"createAccountAndEnableReports": "200"}})
	app.Standin.AddOrder(x.deployment, "2", x.about(p, orderInfo("2", other.deployment)))
	x.notify(t, x.event("2", "new")).Fails(t, http.StatusBadRequest, "unable to create subscription update: bad request: unknown program id in order 2")
}

func TestXealthRulesOfTheClinicHold(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	add := func(p person, email string) testkit.Response {
		trackingID := uuid.NewString()
		x.preorder(t, x.subsequent(p, trackingID, object{"patient": object{"email": email}})).OK(t, http.StatusOK)
		if email != "" { // somebody takes the address before the order arrives
			app.Standin.AddUser(standin.User{UserID: testkit.NewUserID(), Username: email, Emails: []string{email}})
		}
		return x.notify(t, x.event(x.order(p, trackingID), "new"))
	}
	const prefix = "unable to create new patient from order: "
	add(newAdult(), "taken@mail.example").Fails(t, http.StatusConflict, prefix+"duplicate: email address is already taken")

	settings := object{"required": true, "unique": true}
	x.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+x.id+"/settings/mrn", settings).OK(t, http.StatusOK)
	p := newAdult()
	trackingID := uuid.NewString()
	x.preorder(t, x.subsequent(p, trackingID, nil)).OK(t, http.StatusOK)
	x.NewPatient(t, x.id, "Ann Other", object{"mrn": p.mrn})
	x.notify(t, x.event(x.order(p, trackingID), "new")).Fails(t, http.StatusBadRequest, prefix+"bad request: mrn must be unique")

	x.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+x.id+"/settings/patient_count", object{"hardLimit": object{"plan": 1}}).OK(t, http.StatusOK)
	accounts := app.Standin.Count("POST /v1/clinics/")
	add(newAdult(), "").Fails(t, http.StatusPaymentRequired, prefix+"payment required: patient count exceeds limit")
	require.Equal(t, accounts, app.Standin.Count("POST /v1/clinics/"), "no account is made")
}

func TestXealthDoesNotAnswer(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	order := x.order(newAdult(), "")
	for _, fault := range []standin.Fault{
		{Status: http.StatusInternalServerError}, {Status: http.StatusBadRequest}, {Body: "<html>", ContentType: "text/html"},
		{Body: `{"orderInfo":5}`}, {Body: `{"datasets":{"demographicsV1":{"birthDate":"11 January 1985"}}}`}, {Cut: true},
	} {
		app.Standin.Fail("GET /partner/", fault)
		x.notify(t, x.event(order, "new")).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	}
	app.Standin.Heal()
	app.Standin.RevokeAccessTokens()
	app.Standin.Fail("POST /oauth2/token", standin.Fault{Status: http.StatusUnauthorized})
	x.notify(t, x.event(order, "new")).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	require.Empty(t, x.storedOrders(t))
	requireNotLogged(t, app, "11 January 1985")
	requireNotLogged(t, app, "xealth-secret")
}
