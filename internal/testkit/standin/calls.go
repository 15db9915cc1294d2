package standin

import (
	"net/http"
	"slices"
	"strings"
)

// callsKept bounds the memory of a stand-in that runs for days; no test makes that many.
const callsKept = 10000

// Call is a request as it arrived.
type Call struct {
	Method string
	// Path is percent-encoded as it was on the wire.
	Path   string
	Query  string
	Header http.Header
	Body   string
}

// String returns method, path and query, as in a request line.
func (c Call) String() string {
	line := c.Method + " " + c.Path
	if c.Query != "" {
		line += "?" + c.Query
	}
	return line
}

func (s *Standin) record(r *http.Request, body []byte) {
	call := Call{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: string(body),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
	if len(s.calls) > callsKept {
		s.calls = slices.Delete(s.calls, 0, callsKept/2)
	}
}

// Calls returns what arrived since the start or the last ForgetCalls, oldest first. With prefixes, it returns only calls
// whose String begins with one of them, for example "GET /token/".
func (s *Standin) Calls(prefixes ...string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Call
	for _, call := range s.calls {
		line := call.String()
		if len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) }) {
			found = append(found, call)
		}
	}
	return found
}

// Count returns the number of calls that Calls would return.
func (s *Standin) Count(prefixes ...string) int { return len(s.Calls(prefixes...)) }

// ForgetCalls empties the record of calls.
func (s *Standin) ForgetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}
