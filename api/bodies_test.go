package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestBadBodiesAreRefusedBeforeAnythingHappens(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	user := testkit.User(testkit.NewUserID()) // unknown to the user service: a body that passes ends in 404
	schema := "request body has an error: doesn't match schema"
	tests := map[string]struct {
		media, body string
		status      int
		message     string
	}{
		"absent":            {"application/json", "", http.StatusBadRequest, "request body has an error: value is required but missing"},
		"malformed":         {"application/json", `{"name":`, http.StatusBadRequest, "request body has an error: "},
		"two values":        {"application/json", `{"name":"a","preferredBgUnits":"mg/dL"} {}`, http.StatusBadRequest, "request body has an error: "},
		"wrong type":        {"application/json", `{"name":1,"preferredBgUnits":"mg/dL"}`, http.StatusBadRequest, schema},
		"null":              {"application/json", `{"name":"a","preferredBgUnits":"mg/dL","city":null}`, http.StatusBadRequest, schema},
		"not in enum":       {"application/json", `{"name":"a","preferredBgUnits":"furlongs"}`, http.StatusBadRequest, schema},
		"member missing":    {"application/json", `{"name":"a"}`, http.StatusBadRequest, schema},
		"array":             {"application/json", `[]`, http.StatusBadRequest, schema},
		"other media":       {"text/plain", `{"name":"a","preferredBgUnits":"mg/dL"}`, http.StatusBadRequest, "request body has an error: header Content-Type"},
		"no media":          {"", `{"name":"a","preferredBgUnits":"mg/dL"}`, http.StatusBadRequest, "request body has an error: header Content-Type"},
		"charset":           {"application/json; charset=utf-8", `{"name":"a","preferredBgUnits":"mg/dL"}`, http.StatusNotFound, "not found"},
		"media in capitals": {"APPLICATION/JSON", `{"name":"a","preferredBgUnits":"mg/dL"}`, http.StatusNotFound, "not found"},
		"unknown members":   {"application/json", `{"name":"a","preferredBgUnits":"mg/dL","x":{}}`, http.StatusNotFound, "not found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, app.URL+"/v1/clinics", strings.NewReader(test.body))
			require.NoError(t, err)
			if test.media != "" {
				request.Header.Set("Content-Type", test.media)
			}
			response := app.Do(t, user, request).OK(t, test.status)
			require.Contains(t, response.Object(t)["message"], test.message)
		})
	}
}

func TestErrorTextDoesNotRepeatWhatWasSent(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	path := "/v1/clinics/" + bson.NewObjectID().Hex() + "/patients"
	for _, body := range []string{
		`{"fullName":"Secret Name","birthDate":"1987-02-31"}`,
		`{"fullName":"Secret Name","birthDate":"Secret Date"}`,
		`{"fullName":["Secret Name"],"birthDate":"1987-02-03"}`,
	} {
		response := app.Call(t, testkit.Service, http.MethodPost, path, body).OK(t, http.StatusBadRequest)
		require.NotContains(t, string(response.Body), "Secret")
		require.NotContains(t, string(response.Body), "1987")
	}
}

func TestBodyThatIsTooLarge(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.HTTP.MaxBodySize = 1000 }))
	user := testkit.User(app.NewUser(t, "Ada"))
	body := `{"preferredBgUnits":"mg/dL","name":"` + strings.Repeat("x", 2000) + `"}`
	app.Call(t, user, http.MethodPost, "/v1/clinics", body).Fails(t, http.StatusRequestEntityTooLarge, "the request body is too large")

	// Without a length, the size shows only while reading.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, app.URL+"/v1/clinics", struct{ *strings.Reader }{strings.NewReader(body)})
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	app.Do(t, user, request).Fails(t, http.StatusRequestEntityTooLarge, "the request body is too large")
	require.Empty(t, testkit.Documents(t, app.Store, clinics.CollectionName, bson.D{}))
}

func TestParametersAreCheckedByTheDocument(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	list := "/v1/clinics/" + bson.NewObjectID().Hex() + "/patients"
	for query, message := range map[string]string{
		"?limit=0":                    `parameter "limit" in query has an error: number must be at least 1`,
		"?limit=abc":                  `parameter "limit" in query has an error: `,
		"?limit=1.5":                  `parameter "limit" in query has an error: `,
		"?limit=99999999999999999999": `parameter "limit" in query has an error: `,
		"?offset=-1":                  `parameter "offset" in query has an error: number must be at least 0`,
		"?search=":                    `parameter "search" in query has an error: empty value is not allowed`,
		"?limit=1&limit=2":            "limit",
		"?omitNonStandardRanges=yes":  `parameter "omitNonStandardRanges" in query has an error: `,
		"?lastReviewed=2020-01-01":    `parameter "lastReviewed" in query has an error: `,
		"?sort=+fullName":             `parameter "sort" in query has an error: `,
	} {
		response := app.Call(t, testkit.Service, http.MethodGet, list+query, nil)
		require.Equal(t, http.StatusBadRequest, response.Status, query)
		require.Contains(t, response.Object(t)["message"], message, query)
	}
}
