package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// clinicsMade is how many clinics share the callers, and tagsMade how many tags each has.
	clinicsMade = 4
	tagsMade    = 3
	// patientsKept is how many patients a caller has before it begins to remove as many as it creates.
	patientsKept = 40
	// patience is when a caller gives up, far behind what is late.
	patience = time.Minute
)

// load is what all callers share.
type load struct {
	client  client
	verdict *verdict
	figures figures
	clinics []clinic
	ledgers []*ledger
	waiting []atomic.Int64 // of each caller, when it began to wait for an answer, in nanoseconds; 0 if it does not
	tokens  <-chan time.Time

	stop    context.CancelFunc
	callers sync.WaitGroup
}

// waitingSince returns how many callers still wait for the answer to a request that they began before this time.
func (l *load) waitingSince(before time.Time) int {
	n := 0
	for i := range l.waiting {
		if began := l.waiting[i].Load(); began != 0 && began < before.UnixNano() {
			n++
		}
	}
	return n
}

type clinic struct {
	id    string
	admin string // a session token
	tags  []string
}

// startLoad makes the clinics and starts the callers, who go on until finish.
func startLoad(ctx context.Context, w *world) (*load, error) {
	l := &load{client: client{base: w.balancer.server.URL, http: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 200},
	}}, verdict: &w.verdict}
	for n := range clinicsMade {
		c, err := l.client.makeClinic(ctx, w.neighbours, n)
		if err != nil {
			return nil, err
		}
		l.clinics = append(l.clinics, c)
	}
	ctx, l.stop = context.WithCancel(ctx)
	ticker := time.NewTicker(time.Second / time.Duration(w.settings.rate))
	l.tokens = ticker.C
	l.waiting = make([]atomic.Int64, w.settings.callers)
	for n := range w.settings.callers {
		its := &ledger{caller: n}
		l.ledgers = append(l.ledgers, its)
		c := caller{load: l, ledger: its, clinic: l.clinics[n%clinicsMade], random: rand.New(rand.NewPCG(1, uint64(n)))}
		l.callers.Go(func() { c.run(ctx) })
	}
	context.AfterFunc(ctx, ticker.Stop)
	return l, nil
}

// underLoad does something while the callers send requests, and returns the load when all have been answered.
func (w *world) underLoad(ctx context.Context, do func(l *load) error) (*load, error) {
	l, err := startLoad(ctx, w)
	if err != nil {
		return nil, err
	}
	err = do(l)
	l.finish()
	return l, err
}

// finish lets requests that are under way end, and no new one begin.
func (l *load) finish() {
	l.stop()
	l.callers.Wait()
}

func (l *load) records() []*record {
	var all []*record
	for _, its := range l.ledgers {
		all = append(all, its.records...)
	}
	return all
}

// caller does what a front end does, one request after the other.
type caller struct {
	*load
	ledger *ledger
	clinic clinic
	random *rand.Rand
	named  int
}

func (c *caller) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.tokens:
			// A request that was begun is not given up when the load ends: its answer counts.
			c.act(context.WithoutCancel(ctx))
		}
	}
}

// act does one thing, reading more often than writing.
func (c *caller) act(ctx context.Context) {
	r := c.ledger.some(c.random.IntN(1000))
	dice := c.random.IntN(100)
	switch {
	case r == nil || dice < 15:
		c.create(ctx)
	case dice < 35:
		c.update(ctx, r)
	case dice < 50:
		if len(c.ledger.settled()) >= patientsKept {
			c.remove(ctx, r)
		} else {
			c.read(ctx, r)
		}
	case dice < 75:
		c.read(ctx, r)
	case dice < 85:
		c.look(ctx, "list patients", "/patients?limit=20")
	case dice < 90:
		c.look(ctx, "search patients", "/patients?limit=10&search="+r.mrn)
	default:
		c.look(ctx, "read clinic", "")
	}
}

// do makes a request and notes what became of it.
func (c *caller) do(ctx context.Context, operation, method, path string, body, result any) answer {
	a := answer{operation: operation, begun: time.Now()}
	token := server
	if method == http.MethodDelete {
		token = c.clinic.admin // backend services may not
	}
	c.waiting[c.ledger.caller].Store(a.begun.UnixNano())
	status, err := c.client.call(ctx, token, method, path, body, result)
	c.waiting[c.ledger.caller].Store(0)
	a.took = time.Since(a.begun)
	if err == nil {
		a.status = status
	}
	c.figures.add(a)
	return a
}

func (c *caller) shape() shape {
	c.named++
	return shape{name: fmt.Sprintf("Caller %d Patient %d", c.ledger.caller, c.named), tag: c.clinic.tags[c.random.IntN(tagsMade)]}
}

func (c *caller) create(ctx context.Context) {
	r := c.ledger.open(c.clinic.id, c.shape())
	var made patient
	if c.do(ctx, "create patient", http.MethodPost, c.clinic.path("/patients"), bodyOf(r.mrn, r.shapes[0]), &made).good() {
		r.id, r.unsure = made.ID, false
	}
}

func (c *caller) update(ctx context.Context, r *record) {
	wanted := c.shape()
	a := c.do(ctx, "update patient", http.MethodPut, c.clinic.path("/patients/"+r.id), bodyOf(r.mrn, wanted), nil)
	switch {
	case a.good():
		r.shapes = []shape{wanted}
	case a.status == http.StatusNotFound:
		c.verdict.complain("%s is lost: an update was answered with 404", r.mrn)
	default:
		r.shapes = append(r.shapes, wanted)
	}
}

func (c *caller) remove(ctx context.Context, r *record) {
	a := c.do(ctx, "remove patient", http.MethodDelete, c.clinic.path("/patients/"+r.id), nil, nil)
	switch {
	case a.good():
		r.gone = true
	case a.status == http.StatusNotFound:
		c.verdict.complain("%s is lost: its removal was answered with 404", r.mrn)
	default:
		r.unsure = true
	}
}

func (c *caller) read(ctx context.Context, r *record) {
	var found patient
	a := c.do(ctx, "read patient", http.MethodGet, c.clinic.path("/patients/"+r.id), nil, &found)
	switch {
	case a.good() && found.shape() != r.shapes[0]:
		c.verdict.complain("%s was read as %v, and should be %v", r.mrn, found.shape(), r.shapes[0])
	case a.status == http.StatusNotFound:
		c.verdict.complain("%s is lost: reading it was answered with 404", r.mrn)
	}
}

func (c *caller) look(ctx context.Context, operation, path string) {
	c.do(ctx, operation, http.MethodGet, c.clinic.path(path), nil, nil)
}
