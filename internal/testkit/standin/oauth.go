package standin

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

const accessTokenSeconds = 3600

// Client is an OAuth client, known to the OpenID endpoint and to Xealth alike.
type Client struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
	// Subject is the user id of the client's service account. Empty means the client id.
	Subject string `json:"subject"`
	// FormOnly makes the endpoints refuse the client's credentials unless they come in the form.
	FormOnly bool `json:"formOnly"`
}

// AddClient adds or replaces an OAuth client.
func (s *Standin) AddClient(client Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.Clients[client.ID] = client
}

// AddOrder adds or replaces an order at Xealth; it panics if it cannot be JSON.
func (s *Standin) AddOrder(deployment, orderID string, order any) {
	encoded := mustEncode(order)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.Orders[orderKey(deployment, orderID)] = encoded
}

// RevokeAccessTokens invalidates all access tokens that Xealth issued so far.
func (s *Standin) RevokeAccessTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.world.AccessTokens)
}

// orderKey cannot be the same for two orders: a newline is in no id.
func orderKey(deployment, orderID string) string { return deployment + "\n" + orderID }

// client returns the client that a token request comes from. The request is answered already if there is none.
func (s *Standin) client(w http.ResponseWriter, in incoming) (Client, bool) {
	form, err := url.ParseQuery(string(in.body))
	if err != nil || form.Get("grant_type") != "client_credentials" {
		reply(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
		return Client{}, false
	}
	id, secret, basic := in.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	s.mu.Lock()
	known, ok := s.world.Clients[id]
	s.mu.Unlock()
	if !ok && s.options.Development && id != "" {
		known, ok = Client{ID: id, Secret: secret}, true
	}
	if !ok || secret != known.Secret || (basic && known.FormOnly) {
		reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return Client{}, false
	}
	if known.Subject == "" {
		known.Subject = known.ID
	}
	return known, true
}

// serviceAccountToken plays the OpenID endpoint. Its tokens are well-formed, but nobody signed them.
func (s *Standin) serviceAccountToken(w http.ResponseWriter, in incoming) {
	client, ok := s.client(w, in)
	if !ok {
		return
	}
	token := unsignedJWT(map[string]any{"sub": client.Subject, "aud": client.ID})
	answer := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": accessTokenSeconds}
	if form, _ := url.ParseQuery(string(in.body)); strings.Contains(form.Get("scope"), "openid") {
		answer["id_token"] = token
	}
	reply(w, http.StatusOK, answer)
}

func unsignedJWT(claims map[string]any) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(mustEncode(claims)) + "." + encode([]byte("signature"))
}

func (s *Standin) accessToken(w http.ResponseWriter, in incoming) {
	if _, ok := s.client(w, in); !ok {
		return
	}
	token := randomHex(16)
	s.mu.Lock()
	s.world.AccessTokens[token] = true
	s.mu.Unlock()
	reply(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": accessTokenSeconds})
}

func (s *Standin) readOrder(w http.ResponseWriter, in incoming) {
	token, _ := strings.CutPrefix(in.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	known := s.world.AccessTokens[token]
	var order json.RawMessage
	if known {
		order = s.world.Orders[orderKey(in.segments[3], in.segments[4])]
	}
	s.mu.Unlock()
	switch {
	case !known:
		w.WriteHeader(http.StatusUnauthorized)
	case order == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		reply(w, http.StatusOK, order)
	}
}
