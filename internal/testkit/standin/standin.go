package standin

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options adapt a stand-in. The zero value suits tests.
type Options struct {
	// ServerSecret and GatewaySecret are what the two server logins expect. Empty means that any secret is good.
	ServerSecret, GatewaySecret string
	// ServiceSecret, if not empty, opens the auth service without a server token.
	ServiceSecret string
	// Development makes the server token "server" and for each user the token "u-<user id>" valid, accepts all OAuth
	// clients, and lets accounts be updated that the stand-in was never told of.
	Development bool
	// Service, if not nil, receives the requests for the report viewer, so that viewer and reports have one origin as in
	// production and the stand-in can be used as the application URL.
	Service *url.URL
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Standin is all the neighbours at one address.
type Standin struct {
	options Options
	viewer  http.Handler
	routes  []route

	mu     sync.Mutex
	world  world
	calls  []Call
	faults []*plannedFault
}

// world is all that the neighbours remember.
type world struct {
	Users            map[string]User            `json:"users"`
	Profiles         map[string]json.RawMessage `json:"profiles"`
	Sessions         map[string]session         `json:"sessions"`
	RestrictedTokens map[string]RestrictedToken `json:"restrictedTokens"`
	Orders           map[string]json.RawMessage `json:"orders"`
	Clients          map[string]Client          `json:"clients"`
	AccessTokens     map[string]bool            `json:"accessTokens"`
}

func newWorld() world {
	return world{
		Users:            map[string]User{},
		Profiles:         map[string]json.RawMessage{},
		Sessions:         map[string]session{},
		RestrictedTokens: map[string]RestrictedToken{},
		Orders:           map[string]json.RawMessage{},
		Clients:          map[string]Client{},
		AccessTokens:     map[string]bool{},
	}
}

// New returns a stand-in that knows nobody.
func New(options Options) *Standin {
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Standin{options: options, world: newWorld()}
	if options.Service != nil {
		s.viewer = httputil.NewSingleHostReverseProxy(options.Service)
	}
	s.routes = s.table()
	return s
}

// incoming is one request on its way to a handler: its body is read, its path taken apart and decoded.
type incoming struct {
	*http.Request
	segments []string
	body     []byte
}

type access int

const (
	// open routes ask for nothing, or check credentials themselves.
	open access = iota
	// serverToken routes want the token of a server login.
	serverToken
	// serverTokenOrSecret routes accept the service secret instead.
	serverTokenOrSecret
)

type route struct {
	method  string
	path    string // segments; * stands for any one, a final ** for any rest
	access  access
	handler func(http.ResponseWriter, incoming)
}

func (s *Standin) table() []route {
	return []route{
		{http.MethodPost, "serverlogin", open, s.login("clinics", s.options.ServerSecret)},
		{http.MethodPost, "auth/serverlogin", open, s.login("clinic", s.options.GatewaySecret)},
		{http.MethodGet, "token/*", serverToken, s.checkToken},
		{http.MethodGet, "user/*", serverToken, s.getUser},
		{http.MethodPut, "user/*", serverToken, s.updateUser},
		{http.MethodPost, "v1/clinics/*/users", serverToken, s.createUser},
		{http.MethodGet, "*/profile", serverToken, s.getProfile},
		{http.MethodPost, "v1/users/*/restricted_tokens", serverTokenOrSecret, s.createRestrictedToken},
		{http.MethodGet, "v1/restricted_tokens/*", serverTokenOrSecret, s.getRestrictedToken},
		{http.MethodPost, "oidc/token", open, s.serviceAccountToken},
		{http.MethodPost, "oauth2/token", open, s.accessToken},
		{http.MethodGet, "partner/read/order/*/*", open, s.readOrder},
		{http.MethodGet, "export/report/*", open, s.exportReport},
		{http.MethodGet, "v1/xealth/report/**", open, s.forwardToViewer},
	}
}

// ServeHTTP records the call, lets it fail if that was asked for, and otherwise plays the neighbour that has the path. A
// request that no neighbour knows is answered with 501, so that a stray call is noticed.
func (s *Standin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.record(r, body)
	if s.fail(w, r) {
		return
	}
	// The escaped path is split, not the decoded one: %2F is part of a segment.
	raw := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for _, route := range s.routes {
		if route.method != r.Method || !matches(route.path, raw) {
			continue
		}
		if !s.mayEnter(route.access, r) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		route.handler(w, incoming{Request: r, segments: decoded(raw), body: body})
		return
	}
	w.WriteHeader(http.StatusNotImplemented)
}

func matches(pattern string, segments []string) bool {
	parts := strings.Split(pattern, "/")
	for i, part := range parts {
		if part == "**" {
			return len(segments) > i
		}
		if i >= len(segments) || segments[i] == "" || (part != "*" && part != segments[i]) {
			return false
		}
	}
	return len(parts) == len(segments)
}

func decoded(raw []string) []string {
	segments := make([]string, len(raw))
	for i, segment := range raw {
		// The server has checked the escaping of the whole path already.
		segments[i], _ = url.PathUnescape(segment)
	}
	return segments
}

func (s *Standin) forwardToViewer(w http.ResponseWriter, in incoming) {
	if s.viewer == nil {
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	s.viewer.ServeHTTP(w, in.Request)
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the caller has gone, and nobody is left to be told
}
