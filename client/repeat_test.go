package client

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// once are the other operations whose method promises nothing: each call does more, or refuses what the first one did.
var once = []operation{
	{http.MethodPost, "/v1/clinicians/{}/migrate"},
	{http.MethodPost, "/v1/clinics"},
	{http.MethodPost, "/v1/clinics/{}/clinicians"},
	{http.MethodPost, "/v1/clinics/{}/ehr/sync"},
	{http.MethodPatch, "/v1/clinics/{}/invites/clinicians/{}/clinician"},
	{http.MethodPost, "/v1/clinics/{}/merge"},
	{http.MethodPost, "/v1/clinics/{}/migrate"},
	{http.MethodPost, "/v1/clinics/{}/migrations"},
	{http.MethodPost, "/v1/clinics/{}/patient_tags"},
	{http.MethodPost, "/v1/clinics/{}/patient_tags/{}/site"},
	{http.MethodPost, "/v1/clinics/{}/patients"},
	{http.MethodPost, "/v1/clinics/{}/patients/{}"},
	{http.MethodPost, "/v1/clinics/{}/patients/{}/connect/{}"},
	{http.MethodPost, "/v1/clinics/{}/patients/{}/upload_reminder"},
	{http.MethodPost, "/v1/clinics/{}/service_accounts"},
	{http.MethodPost, "/v1/clinics/{}/sites"},
	{http.MethodPost, "/v1/clinics/{}/sites/{}/merge"},
	{http.MethodPost, "/v1/patients/{}/ehr/sync"},
	{http.MethodPost, "/v1/redox"},
	{http.MethodPost, "/v1/xealth/notification"},
	{http.MethodPost, "/v1/xealth/preorder"},
}

var (
	pathLine   = regexp.MustCompile(`^  (/\S+):$`)
	methodLine = regexp.MustCompile(`^    (get|put|post|patch|delete):$`)
	segment    = regexp.MustCompile(`\{[^}]*\}`)
)

// document returns all operations of the interface.
func document(t *testing.T) []operation {
	t.Helper()
	content, err := os.ReadFile("../api/clinic.v1.yaml")
	if os.IsNotExist(err) {
		t.Skip("skipped: the document of the interface is not beside the module")
	}
	if err != nil {
		t.Fatal(err)
	}
	var operations []operation
	path := ""
	for _, line := range strings.Split(string(content), "\n") {
		if match := pathLine.FindStringSubmatch(line); match != nil {
			path = segment.ReplaceAllString(match[1], "{}")
		}
		if match := methodLine.FindStringSubmatch(line); match != nil {
			operations = append(operations, operation{strings.ToUpper(match[1]), path})
		}
	}
	return operations
}

// TestEveryOperationIsSortedIn: whoever adds an operation says whether it may be repeated.
func TestEveryOperationIsSortedIn(t *testing.T) {
	t.Parallel()
	operations := document(t)
	if len(operations) < 70 {
		t.Fatalf("found %d operations only", len(operations))
	}
	for _, o := range operations {
		if (o.method == http.MethodPost || o.method == http.MethodPatch) && slices.Contains(repeatable, o) == slices.Contains(once, o) {
			t.Errorf("%v has to be in one of the lists repeatable and once", o)
		}
	}
	for _, o := range slices.Concat(repeatable, unrepeatable, once) {
		if !slices.Contains(operations, o) {
			t.Errorf("there is no operation %v", o)
		}
	}
}

func TestMayRepeat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method, path string
		want         bool
	}{
		{"GET", "/v1/clinics", true},
		{"PUT", "/v1/clinics/a", true},
		{"DELETE", "/v1/clinics/a/patients/b", true},
		{"POST", "/v1/clinics", false},
		{"POST", "/v1/clinics/a/tier", true},
		{"POST", "/gateway/v1/clinics/a/tier", true},
		{"PUT", "/v1/clinics/a/patients/b/reviews", false},
		{"DELETE", "/gateway/v1/clinics/a/patients/b/reviews", false},
		{"GET", "/v1/clinics/a/patients/b/reviews", true},
		{"POST", "/tier", false},
		{"POST", "", false},
	}
	for _, test := range tests {
		if got := MayRepeat(test.method, test.path); got != test.want {
			t.Errorf("%s %s: %v", test.method, test.path, got)
		}
	}
}
