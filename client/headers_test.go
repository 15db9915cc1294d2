package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tidepool-org/clinic/client"
)

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
