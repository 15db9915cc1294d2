package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidepool-org/clinic/client"
)

// answers plays a status for each attempt, 0 for a connection that breaks, and 200 after the last.
func answers(t *testing.T, count *atomic.Int32, wantBody string, statuses ...int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(bytes.TrimSpace(body)) != wantBody {
			t.Errorf("attempt %d has the body %q", count.Load()+1, body)
		}
		n := int(count.Add(1))
		if n > len(statuses) {
			return
		}
		if statuses[n-1] == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(statuses[n-1])
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	get := func(c *client.ClientWithResponses) error {
		_, err := c.GetClinicWithResponse(context.Background(), clinicID)
		return err
	}
	setTier := func(c *client.ClientWithResponses) error {
		_, err := c.UpdateTierWithResponse(context.Background(), clinicID, client.UpdateTierJSONRequestBody{Tier: "tier0300"})
		return err
	}
	addTag := func(c *client.ClientWithResponses) error {
		_, err := c.CreatePatientTagWithResponse(context.Background(), clinicID, client.CreatePatientTagJSONRequestBody{Name: "Camp"})
		return err
	}
	const tier, tag = `{"tier":"tier0300"}`, `{"name":"Camp"}`
	tests := map[string]struct {
		call     func(*client.ClientWithResponses) error
		body     string
		statuses []int
		attempts int32
		fails    bool
	}{
		"reading, twice unavailable":        {get, "", []int{503, 502}, 3, false},
		"reading, always unavailable":       {get, "", []int{503, 503, 504, 503}, 3, true},
		"reading, a mistake of the service": {get, "", []int{500}, 1, true},
		"reading, not found":                {get, "", []int{404}, 1, true},
		"a write that may be repeated":      {setTier, tier, []int{503, 0}, 3, false},
		"a write that may not":              {addTag, tag, []int{503}, 1, true},
		"a write that may not, broken off":  {addTag, tag, []int{0}, 1, true},
		"a write that was not begun":        {addTag, tag, []int{429}, 2, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var count atomic.Int32
			// A transport of its own, which does not repeat what breaks on a connection that was used before.
			c := connect(t, answers(t, &count, test.body, test.statuses...), client.WithHTTPClient(&http.Client{Transport: &http.Transport{}}))
			err := test.call(c)
			if count.Load() != test.attempts || (err != nil) != test.fails {
				t.Fatalf("%d attempts, error %v", count.Load(), err)
			}
		})
	}
}

func TestWritesAreRepeatedWithoutConnection(t *testing.T) {
	t.Parallel()
	var dials atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials.Add(1) == 1 {
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	var count atomic.Int32
	c := connect(t, answers(t, &count, `{"name":"Camp"}`), client.WithHTTPClient(&http.Client{Transport: transport}))
	_, err := c.CreatePatientTagWithResponse(context.Background(), clinicID, client.CreatePatientTagJSONRequestBody{Name: "Camp"})
	if err != nil || count.Load() != 1 || dials.Load() != 2 {
		t.Fatalf("%d attempts, %d connections, error %v", count.Load(), dials.Load(), err)
	}
}

func TestRetriesObeyTheContext(t *testing.T) {
	t.Parallel()
	var count atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		w.Header().Set("Retry-After", "9")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	c, err := client.New(server.URL, client.StaticToken("secret"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	started := time.Now()
	_, err = c.GetClinicWithResponse(ctx, clinicID)
	if client.StatusOf(err) != http.StatusServiceUnavailable || count.Load() != 1 {
		t.Fatalf("%d attempts, error %v", count.Load(), err)
	}
	if waited := time.Since(started); waited > 4*time.Second {
		t.Fatalf("waited %v for what could not happen in time", waited)
	}
}
