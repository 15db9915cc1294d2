package testkit

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/api"
)

var operations = sync.OnceValues(func() ([]api.Operation, error) {
	document, err := api.LoadDocument()
	if err != nil {
		return nil, err
	}
	return document.Operations(), nil
})

// requireListedReason asserts that the interface document lists the reason of an error for the operation that was called. So
// each test that provokes an error is a test of the document too.
func requireListedReason(t testing.TB, request *http.Request, status int, content []byte) {
	t.Helper()
	var body struct {
		Reason string `json:"reason"`
	}
	if status < http.StatusBadRequest || json.Unmarshal(content, &body) != nil {
		return
	}
	known, err := operations()
	require.NoError(t, err)
	for _, operation := range known {
		if operation.Method == request.Method && matches(operation.Path, request.URL.EscapedPath()) {
			require.Contains(t, operation.Reasons, body.Reason, "x-reasons of %s: %s", operation.ID, content)
			return
		}
	}
}

// matches reports whether a path is one of the template. Of the templates of this interface, none matches a path of another.
func matches(template, path string) bool {
	wanted, given := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(wanted, given, func(wanted, given string) bool {
		return wanted == given || strings.HasPrefix(wanted, "{") && given != ""
	})
}
