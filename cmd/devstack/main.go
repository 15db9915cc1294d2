// Command devstack runs the service for a newcomer: it plays the neighbouring services, starts the service as a child,
// fills in a demo clinic and says what to try. scripts/run, behind `make run`, calls it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

type options struct {
	store   string // host:port of the database
	clinic  string // path of the service binary
	address string // where the service listens
	state   string // where the accounts of the stand-in are kept
}

func main() {
	var o options
	flag.StringVar(&o.store, "store", "127.0.0.1:27018", "host:port of the database")
	flag.StringVar(&o.clinic, "clinic", "bin/clinic", "path of the service binary")
	flag.StringVar(&o.address, "address", "127.0.0.1:8080", "host:port on which the service listens")
	flag.StringVar(&o.state, "state", defaultState(), "file in which the accounts of the stand-in are kept")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	interrupted := ctx.Err() != nil
	stop()
	if err != nil && !interrupted {
		fmt.Fprintln(os.Stderr, "devstack:", err)
		os.Exit(1)
	}
}

func defaultState() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "clinic-dev", "neighbours.json")
}

// run plays everything until the context ends or the service does.
func run(ctx context.Context, o options) error {
	if err := free(ctx, o.address); err != nil {
		return err
	}
	neighbours, address, stop, err := startNeighbours(ctx, o)
	if err != nil {
		return err
	}
	defer stop()

	ctx, cancel := context.WithCancel(ctx)
	service := command(ctx, o, "http://"+address)
	if err := service.Start(); err != nil {
		cancel()
		return err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- service.Wait()
		close(ended)
	}()
	defer func() { // also when something below fails: the service must not outlive this program
		cancel()
		for range ended {
		}
	}()

	base := "http://" + o.address
	if err := waitReady(ctx, base, ended); err != nil {
		return err
	}
	demo, err := fillDemo(ctx, base, neighbours)
	if err != nil {
		return fmt.Errorf("the demo clinic could not be made: %w", err)
	}
	if err := save(neighbours, o.state); err != nil {
		return err
	}
	demo.print(os.Stdout, base)
	return <-ended
}

// free returns an error if something else listens on the address. It would answer in place of the service, and get the demo
// clinic.
func free(ctx context.Context, address string) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("the service cannot listen on %s; stop what does, or choose another port: make run PORT=8081 (%w)", address, err)
	}
	return listener.Close()
}

// startNeighbours serves the stand-in on a free port.
func startNeighbours(ctx context.Context, o options) (*standin.Standin, string, func(), error) {
	neighbours := standin.New(standin.Options{Development: true, Service: &url.URL{Scheme: "http", Host: o.address}})
	if file, err := os.Open(o.state); err == nil {
		err = neighbours.Load(file)
		_ = file.Close() // it was only read
		if err != nil {
			return nil, "", nil, fmt.Errorf("%s: %w", o.state, err)
		}
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", nil, err
	}
	server := &http.Server{Handler: neighbours, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with Close
	stop := func() {
		_ = server.Close()
		if err := save(neighbours, o.state); err != nil {
			fmt.Fprintln(os.Stderr, "devstack:", err)
		}
	}
	return neighbours, listener.Addr().String(), stop, nil
}

func save(neighbours *standin.Standin, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	file, err := os.Create(path) //nolint:gosec // the path is the user's own choice
	if err != nil {
		return err
	}
	return errors.Join(neighbours.Save(file), file.Close())
}

// command returns the service, which gets SIGTERM when the context ends and may take its time to stop.
func command(ctx context.Context, o options, neighbours string) *exec.Cmd {
	service := exec.CommandContext(ctx, o.clinic) //nolint:gosec // the binary that scripts/run has just built
	service.Cancel = func() error { return service.Process.Signal(syscall.SIGTERM) }
	service.WaitDelay = 20 * time.Second
	service.Stderr = os.Stderr
	service.Env = append(os.Environ(), settings(o, neighbours)...)
	return service
}

// settings are those of the service; what the environment already says about the database and the log stays.
func settings(o options, neighbours string) []string {
	c := standin.Settings(neighbours, development, neighbours) // which lead to the report page, as a gateway does
	c.HTTP.Address = o.address
	c.Store.Addresses = cmp.Or(os.Getenv("TIDEPOOL_STORE_ADDRESSES"), o.store)
	c.Log.Level = cmp.Or(os.Getenv("LOG_LEVEL"), "warn")
	return append(c.Environ(), "TIDEPOOL_CLINIC_HTTP_DRAIN_DELAY=0s") // nobody balances load here
}

// waitReady waits until the service answers, and returns an error if it ended instead.
func waitReady(ctx context.Context, base string, ended <-chan error) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("the service did not start: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			if ready(ctx, base) {
				return nil
			}
		}
	}
}

func ready(ctx context.Context, base string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/ready", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close() // it has none
	return answer.StatusCode == http.StatusOK
}
