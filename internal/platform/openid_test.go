package platform_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestServiceAccountWithBasicCredentials(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddClient(standin.Client{ID: "my:client", Secret: "my secret/+", Subject: aUser})
	subject, err := n.openID.ServiceAccountUserID(t.Context(), "my:client", "my secret/+")
	require.NoError(t, err)
	require.Equal(t, aUser, subject)
	call := n.only(t)
	require.Equal(t, "POST /oidc/token", call.String())
	require.Equal(t, "application/x-www-form-urlencoded", call.Header.Get("Content-Type"))
	require.Equal(t, "grant_type=client_credentials&scope=openid", call.Body)
	id, secret, _ := (&http.Request{Header: call.Header}).BasicAuth()
	require.Equal(t, "my%3Aclient", id)
	require.Equal(t, "my+secret%2F%2B", secret)

	_, err = n.openID.ServiceAccountUserID(t.Context(), "my:client", "my secret/+")
	require.NoError(t, err)
	require.Equal(t, 2, n.stand.Count(), "nothing is remembered")
}

func TestServiceAccountFallsBackToForm(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddClient(standin.Client{ID: "client", Secret: "a+b", Subject: aUser, FormOnly: true})
	subject, err := n.openID.ServiceAccountUserID(t.Context(), "client", "a+b")
	require.NoError(t, err)
	require.Equal(t, aUser, subject)
	calls := n.stand.Calls()
	require.Len(t, calls, 2)
	require.NotEmpty(t, calls[0].Header.Get("Authorization"))
	require.Equal(t, "grant_type=client_credentials&scope=openid", calls[0].Body)
	require.Empty(t, calls[1].Header.Get("Authorization"))
	require.Equal(t, "client_id=client&client_secret=a%2Bb&grant_type=client_credentials&scope=openid", calls[1].Body)
}

func TestServiceAccountAnswers(t *testing.T) {
	t.Parallel()
	const jwt = `header.eyJzdWIiOiIwMTIzNDU2Nzg5In0.signature` // its payload is {"sub":"0123456789"}
	tests := map[string]struct {
		fault standin.Fault
		kind  errs.Kind
		calls int
	}{
		"good":                {standin.Fault{Body: `{"access_token":"a","id_token":"` + jwt + `"}`}, "", 1},
		"unknown client":      {standin.Fault{}, errs.BadRequest, 2},
		"refused with 400":    {standin.Fault{Status: 400, Body: `{"error":"invalid_client"}`}, errs.BadRequest, 2},
		"not allowed":         {standin.Fault{Status: 400, Body: `{"error":"unauthorized_client"}`}, errs.BadRequest, 2},
		"403":                 {standin.Fault{Status: 403}, errs.BadRequest, 2},
		"other fault of ours": {standin.Fault{Status: 400, Body: `{"error":"invalid_scope"}`}, errs.Internal, 2},
		"404":                 {standin.Fault{Status: 404}, errs.Internal, 2},
		"500":                 {standin.Fault{Status: 500, Body: "the-client-secret"}, errs.Internal, 1},
		"no id token":         {standin.Fault{Body: `{"access_token":"a"}`}, errs.Internal, 1},
		"not a JWT":           {standin.Fault{Body: `{"access_token":"a","id_token":"the-client-secret"}`}, errs.Internal, 1},
		"odd payload":         {standin.Fault{Body: `{"access_token":"a","id_token":"h.!!.s"}`}, errs.Internal, 1},
		"payload not JSON":    {standin.Fault{Body: `{"access_token":"a","id_token":"h.SmlsbA.s"}`}, errs.Internal, 1},
		"no subject":          {standin.Fault{Body: `{"access_token":"a","id_token":"h.e30.s"}`}, errs.Internal, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, setting{})
			n.stand.Fail("POST /oidc/token", test.fault)
			subject, err := n.openID.ServiceAccountUserID(t.Context(), "client", "the-client-secret")
			require.Equal(t, test.kind, errs.KindOf(err))
			require.Equal(t, test.calls, n.stand.Count())
			switch test.kind {
			case "":
				require.Equal(t, "0123456789", subject)
				return
			case errs.BadRequest:
				require.Equal(t, "bad request: client credentials were refused", errs.Public(err))
			}
			require.Empty(t, subject)
			requireDiscreet(t, err)
		})
	}
}

func TestServiceAccountWithoutEndpoint(t *testing.T) {
	t.Parallel()
	openID, err := platform.NewOpenID("", platform.Options{})
	require.NoError(t, err)
	_, err = openID.ServiceAccountUserID(t.Context(), "client", "the-client-secret")
	require.EqualError(t, err, "openid service: no token endpoint configured")
	require.Equal(t, errs.Internal, errs.KindOf(err))
}
