package standin

import (
	"net/http"
	"strings"
	"time"
)

const (
	sessionTokenHeader = "X-Tidepool-Session-Token"
	restrictedLifetime = time.Hour
)

// session is what a session token stands for.
type session struct {
	UserID   string `json:"userid"`
	IsServer bool   `json:"isserver"`
}

// RestrictedToken is a token of the auth service that opens the report of one user.
type RestrictedToken struct {
	ID             string    `json:"id"`
	UserID         string    `json:"userId"`
	Paths          []string  `json:"paths,omitempty"`
	ExpirationTime time.Time `json:"expirationTime"`
	CreatedTime    time.Time `json:"createdTime"`
}

// AddToken makes a session token valid, of a user or of a backend service.
func (s *Standin) AddToken(token, userID string, isServer bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.Sessions[token] = session{UserID: userID, IsServer: isServer}
}

// AddRestrictedToken adds or replaces a restricted token.
func (s *Standin) AddRestrictedToken(token RestrictedToken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.RestrictedTokens[token.ID] = token
}

// RevokeServerTokens invalidates all server tokens that were issued or added so far, as a restart of the user service
// with another key would.
func (s *Standin) RevokeServerTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, session := range s.world.Sessions {
		if session.IsServer {
			delete(s.world.Sessions, token)
		}
	}
}

// login plays a server login, which only the named service may use.
func (s *Standin) login(name, secret string) func(http.ResponseWriter, incoming) {
	return func(w http.ResponseWriter, in incoming) {
		givenName, givenSecret := in.Header.Get("X-Tidepool-Server-Name"), in.Header.Get("X-Tidepool-Server-Secret")
		switch {
		case givenName == "" || givenSecret == "":
			w.WriteHeader(http.StatusBadRequest)
		case givenName != name || (secret != "" && givenSecret != secret):
			w.WriteHeader(http.StatusUnauthorized)
		default:
			token := randomHex(16)
			s.AddToken(token, name, true)
			w.Header().Set(sessionTokenHeader, token)
			w.WriteHeader(http.StatusOK)
		}
	}
}

func (s *Standin) mayEnter(access access, r *http.Request) bool {
	switch {
	case access == open:
		return true
	case access == serverTokenOrSecret && s.options.ServiceSecret != "" &&
		r.Header.Get("X-Tidepool-Service-Secret") == s.options.ServiceSecret:
		return true
	}
	session, ok := s.session(r.Header.Get(sessionTokenHeader))
	return ok && session.IsServer
}

func (s *Standin) session(token string) (session, bool) {
	s.mu.Lock()
	known, ok := s.world.Sessions[token]
	s.mu.Unlock()
	if ok || !s.options.Development {
		return known, ok
	}
	if token == "server" {
		return session{UserID: "server", IsServer: true}, true
	}
	userID, ok := strings.CutPrefix(token, "u-")
	return session{UserID: userID}, ok && userID != ""
}

func (s *Standin) checkToken(w http.ResponseWriter, in incoming) {
	session, ok := s.session(in.segments[1])
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	reply(w, http.StatusOK, session)
}

func (s *Standin) createRestrictedToken(w http.ResponseWriter, in incoming) {
	now := s.options.Now().UTC()
	token := RestrictedToken{
		ID: randomHex(16), UserID: in.segments[2], CreatedTime: now, ExpirationTime: now.Add(restrictedLifetime),
	}
	s.AddRestrictedToken(token)
	reply(w, http.StatusCreated, token)
}

func (s *Standin) getRestrictedToken(w http.ResponseWriter, in incoming) {
	s.mu.Lock()
	token, ok := s.world.RestrictedTokens[in.segments[2]]
	s.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	reply(w, http.StatusOK, token)
}
