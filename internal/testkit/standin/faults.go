package standin

import (
	"cmp"
	"io"
	"net/http"
	"strings"
	"time"
)

// Fault is how calls go wrong. A fault with only a Delay is followed by the ordinary answer.
type Fault struct {
	// Status is answered instead of what the neighbour would say. Zero with a Body means 200.
	Status int
	// Body is answered together with Status.
	Body string
	// ContentType of the Body. Empty means JSON.
	ContentType string
	// Delay passes before anything else happens, unless the caller leaves earlier.
	Delay time.Duration
	// Hang keeps the call without an answer until the caller leaves.
	Hang bool
	// Cut closes the connection: at once, or in the middle of the Body if there is one.
	Cut bool
	// Times is the number of calls that go wrong before all is well again. Zero means all.
	Times int
}

type plannedFault struct {
	Fault
	prefix string
	left   int
}

// Fail lets calls go wrong whose method and escaped path begin with the prefix, for example "GET /user/". Of several
// that fit, the latest counts.
func (s *Standin) Fail(prefix string, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &plannedFault{Fault: fault, prefix: prefix, left: fault.Times})
}

// Heal ends all faults.
func (s *Standin) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Standin) nextFault(line string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.faults) - 1; i >= 0; i-- {
		planned := s.faults[i]
		if !strings.HasPrefix(line, planned.prefix) || (planned.Times > 0 && planned.left == 0) {
			continue
		}
		planned.left--
		return planned.Fault, true
	}
	return Fault{}, false
}

// fail reports whether the call is answered, or cut off, by a fault.
func (s *Standin) fail(w http.ResponseWriter, r *http.Request) bool {
	fault, ok := s.nextFault(r.Method + " " + r.URL.EscapedPath())
	if !ok {
		return false
	}
	if fault.Delay > 0 {
		select {
		case <-r.Context().Done():
		case <-time.After(fault.Delay):
		}
	}
	if fault.Hang {
		<-r.Context().Done()
		return true
	}
	if fault.Cut && fault.Body == "" {
		panic(http.ErrAbortHandler) // the server's way to close a connection without an answer
	}
	if fault.Status == 0 && fault.Body == "" {
		return false
	}
	w.Header().Set("Content-Type", cmp.Or(fault.ContentType, "application/json"))
	w.WriteHeader(cmp.Or(fault.Status, http.StatusOK))
	if fault.Cut {
		_, _ = io.WriteString(w, fault.Body[:len(fault.Body)/2])
		_ = http.NewResponseController(w).Flush() // the half must be on its way before the cut
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, fault.Body) // the caller has gone, and nobody is left to be told
	return true
}
