package api_test

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestDatabaseThatIsGoneIsABlandError: the caller learns nothing about the database, and probes turn traffic away.
func TestDatabaseThatIsGoneIsABlandError(t *testing.T) {
	t.Parallel()
	relay := newRelay(t, testkit.Store("").Addresses)
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) {
		c.Store.Addresses = relay.address
		c.Store.OptParams = "directConnection=true&serverSelectionTimeoutMS=500"
	}))
	clinicID, adminID := app.NewClinic(t)
	app.Call(t, testkit.Nobody, http.MethodGet, "/ready", nil).OK(t, http.StatusOK)

	relay.cut()
	for _, path := range []string{"/v1/clinics/" + clinicID, "/v1/clinics/" + clinicID + "/clinicians"} {
		response := app.Call(t, testkit.User(adminID), http.MethodGet, path, nil)
		response.Fails(t, http.StatusInternalServerError, "Internal Server Error")
		require.NotContains(t, string(response.Body), "127.0.0.1")
	}
	require.Eventually(t, func() bool {
		return app.Call(t, testkit.Nobody, http.MethodGet, "/ready", nil).Status == http.StatusBadRequest
	}, 10*time.Second, 100*time.Millisecond)
	app.Call(t, testkit.Nobody, http.MethodGet, "/live", nil).OK(t, http.StatusOK)
}

// relay passes connections on until it is cut.
type relay struct {
	address  string
	listener net.Listener
	mu       sync.Mutex
	open     []net.Conn
	isCut    bool
}

func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{address: listener.Addr().String(), listener: listener}
	t.Cleanup(r.cut)
	go func() {
		for {
			inner, err := listener.Accept()
			if err != nil {
				return
			}
			outer, err := net.Dial("tcp", target)
			if err != nil || !r.keep(inner, outer) {
				_ = inner.Close()
				continue
			}
			go func() { _, _ = io.Copy(outer, inner) }()
			go func() { _, _ = io.Copy(inner, outer) }()
		}
	}()
	return r
}

func (r *relay) keep(connections ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = append(r.open, connections...)
	return !r.isCut
}

func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isCut = true
	_ = r.listener.Close()
	for _, connection := range r.open {
		_ = connection.Close()
	}
}
