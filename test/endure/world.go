package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// replicas is how many there are, as in production.
const replicas = 2

// world is everything that a scenario plays with. The database is made for it, and dropped at the end.
type world struct {
	settings   settings
	verdict    verdict
	store      *store.Database // as it is, whatever the replicas see of it
	wire       *wire.Proxy     // between replicas and database, in scenarios that break something; else nil
	neighbours *standin.Standin
	replicas   []*replica
	balancer   *balancer
	logs       string // the folder of logs
	cleanups   []func()
}

// newWorld starts replicas and waits until they are ready.
func newWorld(ctx context.Context, s settings, breakable bool) (*world, error) {
	w := &world{settings: s}
	for _, step := range []func() error{
		func() error { return w.openStore(ctx) },
		func() error { return w.placeWire(breakable) }, //nolint:contextcheck // it has no requests of its own
		func() error { return w.startReplicas(ctx) },
		func() error { return w.balancer.await(ctx, time.Minute) },
	} {
		if err := step(); err != nil {
			err = errors.Join(err, w.lastWords()) // while the logs are there
			w.close()
			return nil, err
		}
	}
	for _, r := range w.replicas {
		fmt.Fprintf(os.Stderr, "endure: replica %s at %s\n", r.name, r.url())
	}
	return w, nil
}

func (w *world) openStore(ctx context.Context) error {
	name := "clinic_test_endure_" + bson.NewObjectID().Hex()
	settings := config.Store{Addresses: w.settings.store, Database: name, OptParams: "directConnection=true&timeoutMS=60000"}
	d, err := store.Open(settings, zap.NewNop(), store.Monitors{})
	if err != nil {
		return err
	}
	if err := d.Connect(ctx, false); err != nil {
		return err
	}
	w.store = d
	w.cleanups = append(w.cleanups, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := errors.Join(d.Drop(ctx), d.Close(ctx)); err != nil {
			fmt.Fprintln(os.Stderr, "endure: the database stays:", err)
		}
	})
	return d.EnsureIndexes(ctx, app.Indexes()...)
}

func (w *world) placeWire(breakable bool) error {
	if !breakable {
		return nil
	}
	proxy, err := wire.Start(w.settings.store)
	if err != nil {
		return err
	}
	w.wire = proxy
	w.cleanups = append(w.cleanups, proxy.Close)
	return nil
}

func (w *world) startReplicas(ctx context.Context) (err error) {
	if w.logs, err = os.MkdirTemp("", "endure-"); err != nil {
		return err
	}
	w.cleanups = append(w.cleanups, func() {
		if w.verdict.good() {
			_ = os.RemoveAll(w.logs) // nobody needs them
		}
	})
	w.neighbours = standin.New(standin.Options{Development: true})
	host := httptest.NewServer(w.neighbours)
	w.cleanups = append(w.cleanups, host.Close)
	var urls []string
	for n := range replicas {
		name := string(rune('A' + n))
		r, err := newReplica(ctx, name, w.settings.service, filepath.Join(w.logs, name+".log"), w.environment(host.URL))
		if err != nil {
			return err
		}
		if err := r.start(ctx); err != nil {
			return err
		}
		w.cleanups = append(w.cleanups, r.kill)
		w.replicas = append(w.replicas, r)
		urls = append(urls, r.url())
	}
	if w.balancer, err = newBalancer(ctx, w.settings.probe, urls...); err != nil {
		return err
	}
	w.cleanups = append(w.cleanups, w.balancer.close)
	return nil
}

// environment sets what has to be set. Everything else has its default.
func (w *world) environment(neighbours string) []string {
	database := w.settings.store
	if w.wire != nil {
		database = w.wire.Address()
	}
	c := standin.Settings(neighbours, "endure", neighbours)
	c.Log.Level = "warn"
	c.Store.Addresses, c.Store.Database, c.Store.OptParams = database, w.store.Name(), "directConnection=true"
	environment := append(c.Environ(), "PATH="+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"))
	if w.settings.drain != "" {
		environment = append(environment, "TIDEPOOL_CLINIC_HTTP_DRAIN_DELAY="+w.settings.drain)
	}
	return environment
}

// lastWords returns the end of the logs, for when replicas do not start.
func (w *world) lastWords() error {
	var all []error
	for _, r := range w.replicas {
		if content, err := os.ReadFile(r.log.Name()); err == nil && len(content) > 0 {
			all = append(all, fmt.Errorf("replica %s: %s", r.name, content[max(0, len(content)-2000):]))
		}
	}
	return errors.Join(all...)
}

// close ends what newWorld began, in reverse.
func (w *world) close() {
	if !w.verdict.good() {
		fmt.Printf("logs of the replicas: %s\n", w.logs)
	}
	for len(w.cleanups) > 0 {
		last := len(w.cleanups) - 1
		w.cleanups[last]()
		w.cleanups = w.cleanups[:last]
	}
}
