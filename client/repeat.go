package client

import (
	"net/http"
	"strings"
)

// Methods say whether an operation may be repeated, but for those listed here. In a path, {} stands for any one segment.

// repeatable are operations that leave the same behind however often they happen, though their method does not say so.
var repeatable = []operation{
	{http.MethodPost, "/v1/clinics/{}/patient_count/refresh"},
	{http.MethodPost, "/v1/clinics/{}/patients/assign_tag/{}"},
	{http.MethodPost, "/v1/clinics/{}/patients/delete_tag/{}"},
	{http.MethodPost, "/v1/clinics/{}/reports/merge"},
	{http.MethodPost, "/v1/clinics/{}/suppressed_notifications"},
	{http.MethodPost, "/v1/clinics/{}/tier"},
	{http.MethodPatch, "/v1/clinics/{}/migrations/{}"},
	{http.MethodPost, "/v1/patients/{}/summary"},
	{http.MethodPost, "/v1/redox/match"},             // an order acts once
	{http.MethodPost, "/v1/redox/orders/{}/replay"},  // an order is replayed once
	{http.MethodPost, "/v1/xealth/orders/{}/replay"}, // as above, from where it ended
	{http.MethodPost, "/v1/redox/verify"},
	{http.MethodPost, "/v1/users/{}/clinics"},
}

// unrepeatable are operations that do more each time, though their method promises otherwise.
var unrepeatable = []operation{
	{http.MethodPut, "/v1/clinics/{}/patients/{}/reviews"},    // adds a review
	{http.MethodDelete, "/v1/clinics/{}/patients/{}/reviews"}, // takes the newest review away, then the one before
}

// keyed are operations that may be repeated if the request has an Idempotency-Key.
var keyed = []operation{
	{http.MethodPost, "/v1/clinics"},
	{http.MethodPost, "/v1/clinics/{}/clinicians"},
	{http.MethodPost, "/v1/clinics/{}/service_accounts"},
	{http.MethodPost, "/v1/clinics/{}/patients"},
	{http.MethodPost, "/v1/clinics/{}/patients/{}"},
	{http.MethodPost, "/v1/clinics/{}/patients/{}/upload_reminder"},
	{http.MethodPost, "/v1/clinics/{}/patients/{}/connect/{}"},
	{http.MethodPost, "/v1/clinics/{}/patient_tags"},
	{http.MethodPost, "/v1/clinics/{}/sites"},
	{http.MethodPost, "/v1/clinicians/{}/migrate"},
}

type operation struct{ method, path string }

// MayRepeat reports whether a request leaves the same behind when it is received twice. The path may have a prefix, as it has
// behind a gateway.
func MayRepeat(method, path string) bool {
	if listed(unrepeatable, method, path) {
		return false
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return true
	default:
		return listed(repeatable, method, path)
	}
}

// mayRepeat is MayRepeat for a request with its headers.
func mayRepeat(request *http.Request) bool {
	return MayRepeat(request.Method, request.URL.Path) ||
		request.Header.Get(idempotencyKey) != "" && listed(keyed, request.Method, request.URL.Path)
}

func listed(operations []operation, method, path string) bool {
	for _, o := range operations {
		if o.method == method && o.matches(path) {
			return true
		}
	}
	return false
}

func (o operation) matches(path string) bool {
	want := strings.Split(strings.Trim(o.path, "/"), "/")
	got := strings.Split(strings.Trim(path, "/"), "/")
	if len(got) < len(want) {
		return false
	}
	got = got[len(got)-len(want):]
	for i := range want {
		if want[i] != "{}" && want[i] != got[i] {
			return false
		}
	}
	return true
}
