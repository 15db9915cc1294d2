package platform_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// TestIDsOfUsersAreCheckedBeforeTheyAreHandedOn: an id would be stored, and become a part of paths.
func TestIDsOfUsersAreCheckedBeforeTheyAreHandedOn(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	ask := map[string]func() (string, error){
		"GET /token/": func() (string, error) {
			session, err := n.users.CheckToken(t.Context(), "t")
			return session.UserID, err
		},
		"GET /user/": func() (string, error) {
			user, err := n.users.GetUser(t.Context(), aUser)
			return user.UserID, err
		},
		"POST /v1/clinics/": func() (string, error) {
			user, err := n.users.CreateCustodialUser(t.Context(), aClinic, "")
			return user.UserID, err
		},
		"POST /oidc/token": func() (string, error) { return n.openID.ServiceAccountUserID(t.Context(), "client", "secret") },
	}
	for prefix, call := range ask {
		answer := func(id string) {
			claims, err := json.Marshal(map[string]string{"sub": id, "userid": id})
			require.NoError(t, err)
			body := string(claims)
			status := 200
			switch prefix {
			case "POST /v1/clinics/":
				status = 201
			case "POST /oidc/token":
				body = `{"access_token":"a","id_token":"e30.` + base64.RawURLEncoding.EncodeToString(claims) + `.e30"}`
			}
			n.stand.Fail(prefix, standin.Fault{Status: status, Body: body})
		}
		malformed := []string{"../x", "..", "secret value", "1234567890\n", "$ne", "a/b", "a%2Fb", strings.Repeat("0", 65)}
		if prefix != "POST /oidc/token" && prefix != "GET /token/" { // whose subjects may have names
			malformed = append(malformed, "robot-1", "12345678901", "ABCDEF0123", "00000000-0000-0000-0000-00000000000G")
		}
		for _, odd := range malformed {
			answer(odd)
			id, err := call()
			require.Error(t, err, "%s %q", prefix, odd)
			require.Empty(t, id)
			require.NotContains(t, errs.Detail(err), odd)
			require.Contains(t, errs.Detail(err), "malformed user id")
		}
		for _, good := range []string{"0123456789", "01234567-89ab-cdef-0123-456789abcdef"} {
			answer(good)
			id, err := call()
			require.NoError(t, err, prefix)
			require.Equal(t, good, id)
		}
	}
	n.stand.Fail("GET /token/", standin.Fault{Body: `{"userid":"shoreline","isserver":true}`})
	session, err := n.users.CheckToken(t.Context(), "t")
	require.NoError(t, err)
	require.Equal(t, "shoreline", session.UserID, "a service has a name")
}
