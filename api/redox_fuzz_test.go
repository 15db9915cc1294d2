package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// FuzzProcessEHRMessage sends bodies through intake into a database: whatever they hold, the answer is no failure of the
// service. Bodies that once mattered are kept as seeds.
func FuzzProcessEHRMessage(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `[]`, `{"Meta":{"DataModel":"X"}}`,
		`{"Meta":{"DataModel":"X","EventType":"Y"},"$set":{"$oid":"x"},"a.b":{"$date":1},"":{"":[]},"_id":{"_id":null}}`,
		`{"Meta":{"DataModel":"X","EventType":"Y"},"a":1,"a":2,"A":{"a":1,"a":{}}}`,
		`{"Meta":{"DataModel":"X","EventType":"Y"},"n":[0,-0,1.5e308,-9223372036854775808,"\u0000","\ud83d\ude00","\ud83d"]}`,
		`{"Meta":{"DataModel":"X\u0000","EventType":"$Y","Logs":[{"ID":"\u0000"},{"ID":"$x"}],"Source":{"ID":"a.b"}}}`,
	} {
		f.Add(seed)
	}
	e := ehr{App: testkit.Start(f)}
	f.Fuzz(func(t *testing.T, body string) {
		require.Contains(t, []int{http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge}, e.post(t, testkit.RedoxToken, body).Status)
	})
}
