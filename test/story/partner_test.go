package story_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// fromXealth returns a request as Xealth sends it.
func fromXealth(t *testing.T, address string, message any) *http.Request {
	t.Helper()
	body, err := json.Marshal(message)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+testkit.XealthToken)
	return request
}
