package platform_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestIDsOfNeighboursAreChecked(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a/b", "..", "a b", "a.b", `a\u0000b`, "ä", strings.Repeat("a", 200)} {
		n := start(t, setting{})
		n.stand.Fail("GET /user/", standin.Fault{Body: `{"userid":"` + id + `"}`})
		_, err := n.users.GetUser(t.Context(), "ann@example.com")
		require.Equal(t, errs.Internal, errs.KindOf(err), "%q", id)
		require.Equal(t, errs.BlandText, errs.Public(err))
	}
	n := start(t, setting{})
	n.stand.Fail("POST /v1/clinics/", standin.Fault{Status: 201, Body: `{"userid":"robot-1"}`})
	_, err := n.users.CreateCustodialUser(t.Context(), "c", "")
	require.Equal(t, errs.Internal, errs.KindOf(err))
	n.stand.Fail("GET /token/", standin.Fault{Body: `{"userid":"../x","isserver":false}`})
	_, err = n.users.CheckToken(t.Context(), "token")
	require.Equal(t, errs.Unauthorized, errs.KindOf(err))
}
