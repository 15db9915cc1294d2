package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestEveryBodyAndAnswerHasAnExample that fits its schema. Only a spreadsheet has none.
func TestEveryBodyAndAnswerHasAnExample(t *testing.T) {
	t.Parallel()
	spec := published(t)
	used := map[string]bool{}
	count := 0
	check := func(place, media string, content *openapi3.MediaType, way openapi3.SchemaValidationOption) {
		if content.Schema.Value.Format == "binary" {
			return
		}
		require.NotEmpty(t, content.Examples, "%s %s", place, media)
		for name, example := range content.Examples {
			used[name] = true
			count++
			options := []openapi3.SchemaValidationOption{way, openapi3.EnableFormatValidation()}
			require.NoError(t, content.Schema.Value.VisitJSON(example.Value.Value, options...), "%s %s: %s", place, media, name)
		}
	}
	eachOperation(spec, func(o *openapi3.Operation, _ []*openapi3.Parameter) {
		if o.RequestBody != nil {
			for media, content := range o.RequestBody.Value.Content {
				check(o.OperationID+" body", media, content, openapi3.VisitAsRequest())
			}
		}
		for status, response := range o.Responses.Map() {
			for media, content := range response.Value.Content {
				check(o.OperationID+" "+status, media, content, openapi3.VisitAsResponse())
			}
		}
	})
	require.Greater(t, count, 500)
	for name := range spec.Components.Examples {
		require.True(t, used[name], "nothing uses the example %s", name)
	}
}

// TestExamplesOfErrorsGiveAReason that the service knows: programs go by it.
func TestExamplesOfErrorsGiveAReason(t *testing.T) {
	t.Parallel()
	count := 0
	known := append(errs.Reasons(), errs.Internal.Reason())
	for name, example := range published(t).Components.Examples {
		if !strings.HasPrefix(name, "error") {
			continue
		}
		count++
		value, ok := example.Value.Value.(map[string]any)
		require.True(t, ok, name)
		require.Contains(t, known, errs.Reason(fmt.Sprint(value["reason"])), name)
	}
	require.Equal(t, 11, count)
}

// TestExamplesAreAccepted plays the example of every body against the service. There is nothing there to be changed, so some
// are answered with 404; but none is malformed.
func TestExamplesAreAccepted(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	operations, parametersOf := map[string]*openapi3.Operation{}, map[string][]*openapi3.Parameter{}
	eachOperation(published(t), func(o *openapi3.Operation, parameters []*openapi3.Parameter) {
		operations[o.OperationID], parametersOf[o.OperationID] = o, parameters
	})
	for _, row := range accessTable(t) {
		operation := operations[row["operationId"]]
		if operation.RequestBody == nil {
			continue
		}
		t.Run(row["operationId"], func(t *testing.T) {
			t.Parallel()
			scene := newScene(t, app.Store, row["path"])
			for name, example := range operation.RequestBody.Value.Content.Get("application/json").Examples {
				body, err := json.Marshal(example.Value.Value)
				require.NoError(t, err)
				if isOpenRow(row) {
					response := playAsPartner(t, app, row, strings.ReplaceAll(string(body), "only-an-example", testkit.RedoxToken))
					require.Contains(t, []int{http.StatusOK, http.StatusNotFound}, response.Status, "%s: %s", name, response.Body)
					continue
				}
				response := app.Call(t, scene.caller(allowedColumn(t, row)), row["method"], scene.path, string(body))
				require.NotContains(t, string(response.Body), "request body has an error", name)
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestEntityTooLarge}, response.Status, name)
				require.Less(t, response.Status, 500, "%s: %s", name, response.Body)
			}
		})
	}
}

// playAsPartner sends the body with the credentials of Redox and Xealth.
func playAsPartner(t *testing.T, app *testkit.App, row map[string]string, body string) testkit.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), row["method"], app.URL+row["path"], strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("verification-token", testkit.RedoxToken)
	request.Header.Set("Authorization", "Bearer "+testkit.XealthToken)
	return app.Do(t, testkit.Nobody, request)
}
