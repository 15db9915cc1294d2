package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidepool-org/clinic/client"
)

const clinicID = "5f85fbe6686e6bb9170ab5d0"

// connect returns a client of a server that answers with the handler.
func connect(t *testing.T, handler http.HandlerFunc, options ...client.ClientOption) *client.ClientWithResponses {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, client.StaticToken("secret"), options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestErrorsOfTheService(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		header string // X-Request-Id
		body   string
		want   client.APIError
	}{
		"all members": {
			409, "header", `{"code":409,"message":"tag exists","reason":"duplicateTag","requestId":"body"}`,
			client.APIError{Status: 409, Reason: "duplicateTag", Message: "tag exists", RequestID: "body"},
		},
		"before there were reasons": {
			400, "header", `{"message":"bad"}`, client.APIError{Status: 400, Message: "bad", RequestID: "header"},
		},
		"a page of a proxy": {
			500, "", `<html>patient Jane Doe</html>`, client.APIError{Status: 500, Message: "Internal Server Error"},
		},
		"no body":        {401, "", ``, client.APIError{Status: 401, Message: "Unauthorized"}},
		"a redirect":     {302, "", ``, client.APIError{Status: 302, Message: "Found"}},
		"a longer error": {413, "", `"` + strings.Repeat("x", 1<<20), client.APIError{Status: 413, Message: "Request Entity Too Large"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					t.Error("a redirect was followed")
				}
				w.Header().Set("X-Request-Id", test.header)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			response, err := c.GetClinicWithResponse(context.Background(), clinicID)
			var got *client.APIError
			if !errors.As(err, &got) || *got != test.want || response != nil {
				t.Fatalf("got %#v and %v, want %#v", err, response, test.want)
			}
			if client.StatusOf(err) != test.status {
				t.Fatalf("status %d", client.StatusOf(err))
			}
		})
	}
}

func TestErrorOfAnAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	c, err := client.NewClientWithResponses(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.GetClinicWithResponse(context.Background(), clinicID)
	if err != nil {
		t.Fatalf("a client without WithErrors returned %v", err)
	}
	if err := client.ErrorOf(response.HTTPResponse, response.Body); client.StatusOf(err) != http.StatusNotFound {
		t.Fatal(err)
	}
	if err := client.ErrorOf(&http.Response{StatusCode: http.StatusNoContent}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsOfTheConnectionNameNoPatient(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c, err := client.New(server.URL, client.StaticToken("secret"))
	if err != nil {
		t.Fatal(err)
	}
	name := "Jane Doe"
	_, err = c.ListPatientsWithResponse(context.Background(), clinicID, &client.ListPatientsParams{Search: &name})
	if err == nil || strings.Contains(err.Error(), "Jane") || strings.Contains(err.Error(), clinicID) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), "refused") {
		t.Fatalf("the cause is lost: %v", err)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	var got []string
	c := connect(t, func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("X-Tidepool-Session-Token"))
	})
	if _, err := c.GetClinicWithResponse(context.Background(), clinicID); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != "secret" {
		t.Fatal(got)
	}
	broken := errors.New("user service is down")
	for name, source := range map[string]client.TokenSource{
		"no token":  client.StaticToken(""),
		"no source": func(context.Context) (string, error) { return "", broken },
	} {
		c, err := client.New("http://127.0.0.1:1", source)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.GetClinicWithResponse(context.Background(), clinicID)
		if err == nil || !strings.Contains(err.Error(), "session token") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "api.example.org", "/v1", "ftp://api.example.org", "http://", "http://[::1"} {
		if _, err := client.New(server, client.StaticToken("secret")); err == nil {
			t.Errorf("%q is taken for an address", server)
		}
	}
	if _, err := client.New("http://api.example.org", nil); err == nil {
		t.Error("a client without a token")
	}
}
