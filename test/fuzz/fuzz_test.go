package fuzz_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// neighbours are operations whose 500 can stand for an answer of a neighbour: an order that it does not have, or an id that is
// none.
var neighbours = map[string]bool{"XealthNotification": true, "AddServiceAccount": true}

// target is an operation with all that is needed to call it.
type target struct {
	path, method string
	item         *openapi3.PathItem
	operation    *openapi3.Operation
	answers      *openapi3.T // what answers are held against
}

func TestRequestsMadeFromTheInterfaceDocument(t *testing.T) {
	t.Parallel()
	count, seed := number("FUZZ_REQUESTS", 2000), number("FUZZ_SEED", int(time.Now().UnixNano()))
	t.Logf("%d requests, FUZZ_SEED=%d", count, seed)
	service := testkit.Run(t, nil)
	targets := load(t, service)
	g := generator{Rand: rand.New(rand.NewPCG(uint64(seed), 1)), ids: map[string][]string{}}
	admin := seedClinic(t, service, g)

	var plain time.Duration
	for i := range count {
		if i%50 == 0 {
			start := time.Now()
			service.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+g.ids["clinicId"][0], nil)
			plain = max(plain, time.Since(start))
		}
		chosen := pick(g, targets)
		request := g.request(t, service, chosen, admin)
		request.Header.Set("X-Request-ID", fmt.Sprintf("fuzz-%d.", i))
		start := time.Now()
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		content, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		took := time.Since(start)
		what := fmt.Sprintf("%d: %s %s: %d %.300s", i, chosen.operation.OperationID, request.URL.RequestURI(), answer.StatusCode, content)
		if answer.StatusCode >= http.StatusInternalServerError && !neighbours[chosen.operation.OperationID] {
			service.Kill()
			require.Fail(t, what, lineOf(service.Output(), i))
		}
		// On a busy machine everything is slow, so a plain request is the measure.
		require.Less(t, took, max(time.Second, 200*plain), what)
		checkAnswer(t, chosen, request, answer, content, what)
	}
	t.Logf("%d requests, peak memory: %d MB", count, service.PeakMemory(t)>>20)
	require.Zero(t, service.Stop(t))
	lines := map[string]int{}
	for _, id := range fuzzID.FindAllString(service.Output(), -1) {
		lines[id]++
	}
	for i := range count {
		require.Equal(t, 1, lines[fmt.Sprintf(`"request_id":"fuzz-%d."`, i)], "a request has one line")
	}
}

// fuzzID finds the ids of requests in the log.
var fuzzID = regexp.MustCompile(`"request_id":"fuzz-\d+\."`)

// lineOf returns the log line of a request.
func lineOf(log string, i int) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, fmt.Sprintf(`"request_id":"fuzz-%d."`, i)) {
			return line
		}
	}
	return ""
}

func number(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return fallback
}

func load(t *testing.T, service *testkit.Process) []target {
	t.Helper()
	published := service.Call(t, testkit.Nobody, http.MethodGet, "/openapi.json", nil).OK(t, http.StatusOK)
	spec, err := openapi3.NewLoader().LoadFromData(published.Body)
	require.NoError(t, err)
	answers, err := openapi3.NewLoader().LoadFromData(loosened(t, published.Body))
	require.NoError(t, err)
	var targets []target
	for _, path := range spec.Paths.InMatchingOrder() {
		item := spec.Paths.Value(path)
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if operation := item.GetOperation(method); operation != nil && operation.OperationID != "FollowEvents" { // whose answers go on
				targets = append(targets, target{path: path, method: method, item: item, operation: operation, answers: answers})
			}
		}
	}
	require.Greater(t, len(targets), 75)
	return targets
}

// loosened returns the document without what holds for requests alone: answers also show what was stored before there were
// such rules, and, COMPAT, null for some lists that are empty.
func loosened(t *testing.T, document []byte) []byte {
	t.Helper()
	var tree any
	require.NoError(t, json.Unmarshal(document, &tree))
	var loosen func(node any)
	loosen = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			if _, ok := node["type"].(string); ok {
				for _, rule := range []string{"pattern", "minLength", "maxLength", "minItems", "maxItems", "format", "enum", "minimum", "maximum"} {
					delete(node, rule)
				}
				node["nullable"] = true
			}
			for _, inner := range node {
				loosen(inner)
			}
		case []any:
			for _, inner := range node {
				loosen(inner)
			}
		}
	}
	loosen(tree)
	text, err := json.Marshal(tree)
	require.NoError(t, err)
	return text
}

// seedClinic makes a clinic with a patient, a tag and a site, whose ids the requests use.
func seedClinic(t *testing.T, service *testkit.Process, g generator) testkit.Caller {
	t.Helper()
	for range 3 {
		clinicID, adminID := service.NewClinic(t)
		admin, clinic := testkit.User(adminID), "/v1/clinics/"+clinicID
		patient := service.Call(t, admin, http.MethodPost, clinic+"/patients", map[string]any{"fullName": "Ann", "birthDate": "2001-02-03"}).OK(t, http.StatusOK).Object(t)
		tag := service.Call(t, admin, http.MethodPost, clinic+"/patient_tags", map[string]any{"name": "Pump"}).OK(t, http.StatusOK).Object(t)
		site := service.Call(t, admin, http.MethodPost, clinic+"/sites", map[string]any{"name": "West"}).OK(t, http.StatusOK).Object(t)
		for name, id := range map[string]any{
			"clinicId": clinicID, "sourceId": clinicID, "clinicianId": adminID, "userId": patient["id"], "patientId": patient["id"],
			"patientTagId": tag["id"], "tags": tag["id"], "siteId": site["id"],
		} {
			g.ids[name] = append(g.ids[name], id.(string))
		}
		g.ids["admins"] = append(g.ids["admins"], adminID)
	}
	return testkit.User(g.ids["admins"][0])
}

func (g generator) request(t *testing.T, service *testkit.Process, to target, admin testkit.Caller) *http.Request {
	t.Helper()
	path, query := to.path, url.Values{}
	for _, parameter := range append(append(openapi3.Parameters{}, to.item.Parameters...), to.operation.Parameters...) {
		p := parameter.Value
		switch {
		case p.In == openapi3.ParameterInPath:
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(fmt.Sprint(g.value(p.Name, p.Schema, 0))))
		case p.In == openapi3.ParameterInQuery && (p.Required || g.one(6)):
			query.Set(p.Name, strings.Trim(fmt.Sprint(g.value(p.Name, p.Schema, 0)), "[]"))
		}
	}
	address := service.URL + path + "?" + query.Encode()
	if g.one(20) {
		address += pick(g, []string{"&x=%", ";", "&a=%ff", "&limit=1&limit=2"})
	}
	body, media := "", "application/json"
	if content := to.operation.RequestBody; content != nil && !g.one(20) {
		var schema *openapi3.SchemaRef
		if declared := content.Value.Content.Get(media); declared != nil {
			schema = declared.Schema
		}
		body = g.body(g.value("", schema, 4))
	}
	if g.one(30) {
		media = pick(g, []string{"", "text/plain", "application/json; charset=utf-16", "application/xml"})
	}
	request, err := http.NewRequestWithContext(t.Context(), to.method, address, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", media)
	request.Header.Set("verification-token", testkit.RedoxToken)
	request.Header.Set("Authorization", "Bearer "+testkit.XealthToken)
	request.Header.Set("x-tidepool-session-token", string(pick(g, []testkit.Caller{
		testkit.Service, testkit.Service, admin, testkit.User(g.ids["patientId"][0]), testkit.Nobody,
	})))
	return request
}

// checkAnswer holds an answer against the document.
func checkAnswer(t *testing.T, to target, request *http.Request, answer *http.Response, content []byte, what string) {
	t.Helper()
	if answer.Header.Get("Content-Type") != "application/json" {
		return
	}
	item := to.answers.Paths.Value(to.path)
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: request,
			Route:   &routers.Route{Spec: to.answers, Path: to.path, PathItem: item, Method: to.method, Operation: item.GetOperation(to.method)},
		},
		Status: answer.StatusCode, Header: answer.Header,
	}
	input.SetBodyBytes(content)
	require.NoError(t, openapi3filter.ValidateResponse(t.Context(), input), what)
}
