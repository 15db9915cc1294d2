package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/tidepool-org/clinic/client"
)

func TestACallWithAKeyIsRepeated(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]int32{"": 1, "k": 2} {
		var count atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Idempotency-Key") != key {
				t.Error(r.Header)
			}
			if count.Add(1) == 1 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		c, err := client.New(server.URL, client.StaticToken("token"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.CreatePatientTagWithResponse(context.Background(), clinicID, client.CreatePatientTagJSONRequestBody{Name: "Blue"}, client.IdempotencyKey(key))
		if count.Load() != want {
			t.Errorf("%q: %d attempts", key, count.Load())
		}
		server.Close()
	}
}

func TestConditionsAreHeaders(t *testing.T) {
	t.Parallel()
	var header http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		w.WriteHeader(http.StatusPreconditionFailed)
	}))
	defer server.Close()
	c, err := client.New(server.URL, client.StaticToken("token"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.DeleteClinicWithResponse(context.Background(), clinicID, client.IfMatch(`"tag"`))
	if client.StatusOf(err) != http.StatusPreconditionFailed || header.Get("If-Match") != `"tag"` {
		t.Errorf("%v %v", err, header)
	}
	if _, _ = c.GetClinicWithResponse(context.Background(), clinicID, client.IfNoneMatch(`"tag"`)); header.Get("If-None-Match") != `"tag"` {
		t.Error(header)
	}
}
