package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/tidepool-org/clinic/client"
)

// events stands in for the service: it tells two changes in each answer, the last of the answer before again, and cuts each
// answer off in the middle of an event.
func events(t *testing.T, asked *[]string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after := r.URL.Query().Get("after")
		*asked = append(*asked, after)
		var n int
		_, _ = fmt.Sscanf(after, "t%d", &n)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "retry: 1000\nid: %s\n\n", after)
		for _, i := range []int{n, n + 1} {
			_, _ = fmt.Fprintf(w, "id: t%d\ndata: {\"kind\":\"patient\",\"operation\":\"update\",\"id\":\"%d\",\"time\":\"2025-06-10T08:00:00Z\",\"token\":\"t%d\"}\n\n", i, i, i)
		}
		_, _ = fmt.Fprint(w, "id: t99\ndata: {\"kind\":")
	}))
	t.Cleanup(server.Close)
	return server
}

func TestFollowAsksAgainAfterWhatWasHandled(t *testing.T) {
	var asked []string
	c, err := client.New(events(t, &asked).URL, client.StaticToken("token"))
	if err != nil {
		t.Fatal(err)
	}
	done := errors.New("enough")
	var handled []string
	err = client.Follow(context.Background(), c, "t0", func(change client.ChangeV1) error {
		handled = append(handled, change.Id)
		if change.Id == "3" {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Errorf("Follow returned %v", err)
	}
	if want := []string{"0", "1", "1", "2", "2", "3"}; !slices.Equal(handled, want) {
		t.Errorf("handled %v, not %v: nothing is missed, and what was under way may come twice", handled, want)
	}
	if want := []string{"t0", "t1", "t2"}; !slices.Equal(asked, want) {
		t.Errorf("asked after %v, not %v", asked, want)
	}
}

func TestFollowGivesUpWhatCannotBeMended(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprint(w, `{"code":409,"message":"gone","reason":"token_expired"}`)
	}))
	defer server.Close()
	c, err := client.New(server.URL, client.StaticToken("token"))
	if err != nil {
		t.Fatal(err)
	}
	err = client.Follow(context.Background(), c, "old", func(client.ChangeV1) error { return nil })
	if client.StatusOf(err) != http.StatusConflict || calls.Load() != 2 {
		t.Errorf("Follow returned %v after %d calls", err, calls.Load())
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := client.Follow(ended, c, "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Follow returned %v", err)
	}
}

// A service that keeps profiles up to date: it remembers, together with its work, up to where it came. Doing a change twice does
// no harm, because it reads the patient as they are now.
func ExampleFollow() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("after") != "" {
			return // nothing new
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, "id: a1\ndata: {\"kind\":\"patient\",\"operation\":\"update\",\"id\":\"66a1f1a0d4e5f60718293b01\",\"clinicId\":\"66a1f0c2d4e5f60718293a4b\",\"patientId\":\"d7bee6f2a1\",\"fields\":[\"fullName\",\"updatedTime\"],\"time\":\"2025-06-10T08:00:00Z\",\"token\":\"a1\"}\n\n")
	}))
	defer server.Close()

	c, err := client.New(server.URL, client.StaticToken("token"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	reached := "" // from where the work is kept
	err = client.Follow(ctx, c, reached, func(change client.ChangeV1) error {
		if change.Kind == client.ChangeOfPatient && change.Operation == client.ChangeUpdate {
			fmt.Println("read patient", *change.PatientId, "of clinic", *change.ClinicId)
		}
		reached = change.Token
		stop() // an example has to end
		return nil
	})
	fmt.Println(reached, errors.Is(err, context.Canceled))
	// Output:
	// read patient d7bee6f2a1 of clinic 66a1f0c2d4e5f60718293a4b
	// a1 true
}
