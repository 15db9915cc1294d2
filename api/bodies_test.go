package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api"
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

// operationsWithBody returns the operations that take a body: those that are called with a session token, and those of partners.
func operationsWithBody(t *testing.T) (ours, partners []api.Operation) {
	t.Helper()
	withBody, open := map[string]bool{}, map[string]bool{}
	eachOperation(published(t), func(o *openapi3.Operation, _ []*openapi3.Parameter) {
		withBody[o.OperationID] = o.RequestBody != nil
		open[o.OperationID] = o.Security != nil
	})
	for _, operation := range allOperations(t) {
		switch {
		case !withBody[operation.ID]:
		case open[operation.ID]:
			partners = append(partners, operation)
		default:
			ours = append(ours, operation)
		}
	}
	return ours, partners
}

func TestBodiesThatAreNoTextAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	ours, _ := operationsWithBody(t)
	require.Greater(t, len(ours), 25)
	for _, operation := range ours {
		t.Run(operation.ID, func(t *testing.T) {
			t.Parallel()
			scene := newScene(t, app.Store, operation.Path)
			requireTextOnly(t, func(media, body string) testkit.Response {
				var response testkit.Response
				for _, caller := range []testkit.Caller{testkit.Service, testkit.User(scene.admin), testkit.User(scene.self)} {
					request, err := http.NewRequestWithContext(t.Context(), operation.Method, app.URL+scene.path, strings.NewReader(body))
					require.NoError(t, err)
					request.Header.Set("Content-Type", media)
					if response = app.Do(t, caller, request); response.Status != http.StatusForbidden {
						break
					}
				}
				return response
			})
		})
	}
}

func requireTextOnly(t *testing.T, send func(media, body string) testkit.Response) {
	t.Helper()
	const media = "application/json"
	for name, body := range map[string]string{
		"latin-1":          "{\"name\":\"Zo\xeb\"}",
		"half a pair":      `{"name":"\ud800"}`,
		"other half":       `{"name":"\udc00\ud800"}`,
		"NUL":              `{"name":"a\u0000b"}`,
		"control":          `{"name":"a\u001bb"}`,
		"control in list":  `["a\u0007b"]`,
		"two values":       `{} {}`,
		"cut off":          `{"name":`,
		"control in names": `{"a\u0000b":1}`,
	} {
		response := send(media, body)
		require.Equal(t, http.StatusBadRequest, response.Status, "%s: %s", name, response.Body)
		require.Equal(t, "body_invalid", response.Object(t)["reason"], name)
	}
	for _, charset := range []string{"application/json; charset=iso-8859-1", "application/json; charset=utf-16", "text/json", "application/xml"} {
		response := send(charset, `{}`)
		require.Equal(t, http.StatusBadRequest, response.Status, charset)
		require.Equal(t, "media_type_unsupported", response.Object(t)["reason"], charset)
	}
}

// TestPartnersSendText: what partners send is text, in JSON. Two of their operations do not look at the media type.
func TestPartnersSendText(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	_, partners := operationsWithBody(t)
	require.Len(t, partners, 6)
	anyMedia := []string{"ProcessEHRMessage", "XealthPreorder"}
	for _, operation := range partners {
		t.Run(operation.ID, func(t *testing.T) {
			t.Parallel()
			send := func(media, body string) testkit.Response {
				request, err := http.NewRequestWithContext(t.Context(), operation.Method, app.URL+operation.Path, strings.NewReader(body))
				require.NoError(t, err)
				request.Header.Set("Content-Type", media)
				request.Header.Set("verification-token", testkit.RedoxToken)
				request.Header.Set("Authorization", "Bearer "+testkit.XealthToken)
				return app.Do(t, testkit.Nobody, request)
			}
			for _, body := range []string{"{\"Meta\":\"Zo\xeb\"}", `{"Meta":"\ud800"}`, `{"Meta":"\udc00\ud800"}`} {
				response := send("application/json", body)
				require.Equal(t, http.StatusBadRequest, response.Status, body)
				require.Equal(t, "request body has an error: it is not UTF-8", response.Object(t)["message"], body)
			}
			for _, body := range []string{`{} {}`, `{"Meta":`, `[]`, `"text"`} {
				response := send("application/json", body)
				require.Equal(t, http.StatusBadRequest, response.Status, "%s: %s", body, response.Body)
				require.Contains(t, []any{"body_invalid", "message_malformed"}, response.Object(t)["reason"], body)
			}
			for _, media := range []string{"application/json; charset=iso-8859-1", "text/json", "application/xml", ""} {
				if status := send(media, `{}`).Status; slices.Contains(anyMedia, operation.ID) {
					require.NotEqual(t, http.StatusUnsupportedMediaType, status, media)
				} else {
					require.Equal(t, http.StatusUnsupportedMediaType, status, media)
				}
			}
		})
	}
}
