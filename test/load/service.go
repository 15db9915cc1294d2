package main

import (
	"context"
	"errors"
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

// startLimit is how long a service may take to get ready.
const startLimit = 30 * time.Second

// service is a process that answers.
type service struct {
	url     string
	process int
	start   start
	stop    func()
}

// start says how long after the process began it answered, in milliseconds.
type start struct {
	Answers float64 `json:"answersMs"` // /live, or else anything
	Ready   float64 `json:"readyMs"`   // that it is ready
}

// startService starts the built service on the database, with stand-in neighbours, and waits until it is ready.
func startService(ctx context.Context, binary, address, database string) (*service, error) {
	neighbours := httptest.NewServer(standin.New(standin.Options{Development: true}))
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := listener.Addr().String()
	_ = listener.Close() // the service takes it next
	c := standin.Settings(neighbours.URL, neighbourSecret, "http://"+port)
	c.HTTP.Address, c.Log.Level = port, "error"
	c.Store.Addresses, c.Store.Database, c.Store.OptParams = address, database, storeOptions
	command := exec.CommandContext(ctx, binary)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), c.Environ()...)
	began := time.Now()
	if err := command.Start(); err != nil {
		return nil, err
	}
	s := &service{url: "http://" + port, process: command.Process.Pid}
	s.stop = func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
		neighbours.Close()
	}
	if s.start, err = awaitReady(ctx, s.url, began); err != nil {
		s.stop()
		return nil, fmt.Errorf("%s: %w", binary, err)
	}
	return s, nil
}

// awaitReady asks every few milliseconds. The reference has no /live, but says so.
func awaitReady(ctx context.Context, url string, began time.Time) (start, error) {
	var s start
	path := "/live"
	for ctx.Err() == nil && time.Since(began) < startLimit {
		answer, err := http.Get(url + path)
		if err != nil {
			time.Sleep(2 * time.Millisecond)
			continue
		}
		_ = answer.Body.Close() // only the status matters
		switch {
		case s.Answers == 0:
			s.Answers, path = milliseconds(time.Since(began)), "/ready"
		case answer.StatusCode == http.StatusOK:
			s.Ready = milliseconds(time.Since(began))
			return s, nil
		default:
			time.Sleep(2 * time.Millisecond)
		}
	}
	return s, errors.Join(ctx.Err(), errors.New("it does not get ready"))
}
