package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// misses is how many negative answers in a row take a replica out, as the manifests say.
const misses = 2

// balancer sends each request to the next replica that is ready. It tries none twice: whether a request may be repeated is not
// its to know. If none is ready it takes any, as gateways do which think that their probes must be wrong.
type balancer struct {
	server    *httptest.Server
	transport *http.Transport
	targets   []*target
	turn      atomic.Uint64
	stop      context.CancelFunc
	probes    sync.WaitGroup
}

type target struct {
	url   *url.URL
	ready atomic.Bool
}

// newBalancer balances over the URLs and looks at their /ready at this interval, until close.
func newBalancer(ctx context.Context, interval time.Duration, urls ...string) (*balancer, error) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	b := &balancer{stop: stop, transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	for _, address := range urls {
		parsed, err := url.Parse(address)
		if err != nil {
			stop()
			return nil, err
		}
		b.targets = append(b.targets, &target{url: parsed})
	}
	for _, t := range b.targets {
		b.probes.Go(func() { t.follow(ctx, interval) })
	}
	b.server = httptest.NewServer(&httputil.ReverseProxy{
		Transport: b.transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(b.next().url) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway)
		},
	})
	return b, nil
}

func (b *balancer) next() *target {
	turn := b.turn.Add(1)
	var ready []*target
	for _, t := range b.targets {
		if t.ready.Load() {
			ready = append(ready, t)
		}
	}
	if len(ready) == 0 {
		ready = b.targets
	}
	return ready[turn%uint64(len(ready))]
}

// await waits until all replicas are ready.
func (b *balancer) await(ctx context.Context, limit time.Duration) error {
	return until(ctx, limit, func() error {
		for _, t := range b.targets {
			if !t.ready.Load() {
				return fmt.Errorf("the replica at %s is not ready", t.url.Host)
			}
		}
		return nil
	})
}

func (b *balancer) close() {
	b.server.CloseClientConnections()
	b.server.Close()
	b.stop()
	b.probes.Wait()
}

// follow asks the target whether it is ready until the context ends.
func (t *target) follow(ctx context.Context, interval time.Duration) {
	client := http.Client{Timeout: max(interval, time.Second)}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for missed := 0; ; {
		if isReady(ctx, &client, t.url.String()) {
			missed = 0
			t.ready.Store(true)
		} else if missed++; missed >= misses {
			t.ready.Store(false)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func isReady(ctx context.Context, client *http.Client, base string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/ready", nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close() // it has none
	return answer.StatusCode == http.StatusOK
}

// until tries until there is no error, and returns the last one after the limit or when the context ends.
func until(ctx context.Context, limit time.Duration, try func() error) error {
	for end := time.Now().Add(limit); ; {
		err := try()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("after %s: %w", limit, err)
		}
		if waited := wait(ctx, 100*time.Millisecond); waited != nil {
			return waited
		}
	}
}

// wait waits for this time, or returns the error of the context if that ends before.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
