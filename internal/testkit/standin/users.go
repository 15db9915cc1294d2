package standin

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
)

// User is an account of the user service.
type User struct {
	UserID         string   `json:"userid"`
	Username       string   `json:"username,omitempty"`
	Emails         []string `json:"emails,omitempty"`
	PasswordExists bool     `json:"passwordExists"`
	EmailVerified  bool     `json:"emailVerified"`
	Roles          []string `json:"roles,omitempty"`
	TermsAccepted  string   `json:"termsAccepted,omitempty"`
}

// AddUser adds or replaces an account.
func (s *Standin) AddUser(user User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.Users[user.UserID] = user
}

// User returns an account by user id or e-mail address, and whether there is one.
func (s *Standin) User(idOrEmail string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.user(idOrEmail)
}

// AddProfile adds or replaces the profile of a user; it panics if it cannot be JSON.
func (s *Standin) AddProfile(userID string, profile any) {
	encoded := mustEncode(profile)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.Profiles[userID] = encoded
}

func (w *world) user(idOrEmail string) (User, bool) {
	if user, ok := w.Users[idOrEmail]; ok {
		return user, true
	}
	for _, user := range w.Users {
		if user.Username != "" && strings.EqualFold(user.Username, idOrEmail) {
			return user, true
		}
	}
	return User{}, false
}

func (s *Standin) getUser(w http.ResponseWriter, in incoming) {
	user, ok := s.User(in.segments[1])
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	reply(w, http.StatusOK, user)
}

// account is what an account is created with or changed to. Nil members stay as they are.
type account struct {
	Username *string   `json:"username"`
	Emails   *[]string `json:"emails"`
}

func (a account) applyTo(user User) User {
	if a.Username != nil {
		user.Username = *a.Username
	}
	if a.Emails != nil {
		user.Emails = *a.Emails
		if len(user.Emails) == 0 {
			user.Username = ""
		}
	}
	return user
}

func (w *world) isTaken(a account, userID string) bool {
	if a.Username == nil || *a.Username == "" {
		return false
	}
	owner, ok := w.user(*a.Username)
	return ok && owner.UserID != userID
}

func (s *Standin) createUser(w http.ResponseWriter, in incoming) {
	var created account
	if json.Unmarshal(in.body, &created) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.isTaken(created, "") {
		w.WriteHeader(http.StatusConflict)
		return
	}
	user := created.applyTo(User{UserID: randomHex(5), Roles: []string{"patient"}})
	s.world.Users[user.UserID] = user
	reply(w, http.StatusCreated, user)
}

func (s *Standin) updateUser(w http.ResponseWriter, in incoming) {
	var body struct {
		Updates *account `json:"updates"`
	}
	if json.Unmarshal(in.body, &body) != nil || body.Updates == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	userID := in.segments[1]
	s.mu.Lock()
	defer s.mu.Unlock()
	user, ok := s.world.Users[userID]
	switch {
	case !ok && !s.options.Development:
		w.WriteHeader(http.StatusNotFound)
		return
	case s.world.isTaken(*body.Updates, userID):
		w.WriteHeader(http.StatusConflict)
		return
	}
	user.UserID = userID
	user = body.Updates.applyTo(user)
	s.world.Users[userID] = user
	reply(w, http.StatusOK, user)
}

func (s *Standin) getProfile(w http.ResponseWriter, in incoming) {
	s.mu.Lock()
	profile, ok := s.world.Profiles[in.segments[0]]
	s.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	reply(w, http.StatusOK, profile)
}

// randomHex returns 2n random hex digits. Ids are random, so that accounts from before a restart are not met again.
func randomHex(n int) string {
	random := make([]byte, n)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}

func mustEncode(value any) json.RawMessage {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic("standin: " + err.Error())
	}
	return encoded
}
