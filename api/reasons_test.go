package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestReasonsOfErrorsAreDocumented holds the reasons that the code knows against those of the interface document, in both
// directions. That each operation lists those it gives is asserted by every test that provokes an error.
func TestReasonsOfErrorsAreDocumented(t *testing.T) {
	t.Parallel()
	var document struct {
		Common   []string          `json:"x-common-reasons"`
		Meanings map[string]string `json:"x-reasons"`
	}
	published := testkit.Shared(t).Call(t, testkit.Nobody, http.MethodGet, "/openapi.json", nil)
	require.NoError(t, json.Unmarshal(published.Body, &document))

	known := map[string]bool{}
	for _, reason := range errs.Reasons() {
		known[string(reason)] = true
		require.Contains(t, document.Meanings, string(reason), "the code gives a reason that nobody can look up")
	}
	require.Greater(t, len(known), 60)
	for _, kind := range errs.Kinds() {
		known[string(kind.Reason())] = true
	}
	for reason, meaning := range document.Meanings {
		require.True(t, known[reason], "nothing gives the reason %s", reason)
		require.NotEmpty(t, meaning)
	}

	compiled, err := api.LoadDocument()
	require.NoError(t, err)
	used := map[string]bool{"operation_unknown": true, "method_not_allowed": true, "not_found": true} // of no operation
	for _, operation := range compiled.Operations() {
		require.Subset(t, operation.Reasons, document.Common)
		for _, reason := range operation.Reasons {
			used[reason] = true
			require.Contains(t, document.Meanings, reason, operation.ID)
		}
	}
	for reason := range document.Meanings {
		require.True(t, used[reason], "no operation lists %s", reason)
	}
	require.False(t, slices.Contains(document.Common, ""))
}

func TestErrorsSayWhyInAWordForPrograms(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	w := newWard(t, app)
	for _, call := range []struct {
		caller       testkit.Caller
		method, path string
		body         any
		reason       string
	}{
		{testkit.Nobody, http.MethodGet, "/v1/clinics", nil, "session_token_missing"},
		{"nonsense", http.MethodGet, "/v1/clinics", nil, "session_token_invalid"},
		{w.admin, http.MethodGet, "/v1/clinics", nil, "not_authorized"},
		{w.admin, http.MethodGet, "/v1/nothing", nil, "operation_unknown"},
		{w.admin, http.MethodPatch, "/v1/clinics", nil, "method_not_allowed"},
		{w.admin, http.MethodGet, w.patients() + "?limit=0", nil, "parameter_invalid"},
		{w.admin, http.MethodPost, w.patients(), "", "body_required"},
		{w.admin, http.MethodPost, w.patients(), `{"fullName":7}`, "body_invalid"},
		{w.admin, http.MethodGet, w.patient(testkit.NewUserID()), nil, "patient_not_found"},
		{testkit.Nobody, http.MethodPost, "/v1/redox", "{}", "verification_token_required"},
		{testkit.Nobody, http.MethodPost, "/v1/xealth/preorder", "{}", "bearer_token_required"},
		{testkit.Nobody, http.MethodDelete, "/v1/redox", nil, "method_not_allowed"},
	} {
		answer := app.Call(t, call.caller, call.method, call.path, call.body)
		require.Equal(t, call.reason, answer.Object(t)["reason"], "%s %s", call.method, call.path)
	}
}
