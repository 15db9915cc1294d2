package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// neighbourSecret is what the service shares with its neighbours and partners.
const neighbourSecret = "load"

// startService starts the built service on the database, with stand-in neighbours, and returns its URL.
func startService(ctx context.Context, binary, address, database string) (url string, stop func(), err error) {
	neighbours := httptest.NewServer(standin.New(standin.Options{Development: true}))
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	port := listener.Addr().String()
	_ = listener.Close() // the service takes it next
	c := standin.Settings(neighbours.URL, neighbourSecret, "http://"+port)
	c.HTTP.Address, c.Log.Level = port, "error"
	c.Store.Addresses, c.Store.Database, c.Store.OptParams = address, database, "directConnection=true"
	service := exec.CommandContext(ctx, binary)
	service.Cancel = func() error { return service.Process.Signal(syscall.SIGTERM) }
	service.Stderr = os.Stderr
	service.Env = append(os.Environ(), c.Environ()...)
	if err := service.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = service.Process.Signal(syscall.SIGTERM)
		_ = service.Wait()
		neighbours.Close()
	}
	for range 200 {
		if answer, err := http.Get("http://" + port + "/ready"); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return "http://" + port, stop, nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	return "", nil, fmt.Errorf("%s does not get ready", binary)
}
