package platform

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/internal/errs"
)

const authRefreshInterval = time.Hour

var restrictedTokenID = regexp.MustCompile(`^[0-9a-z]{32}$`)

// AuthServiceConfig says where the platform auth service is and how this service identifies itself there.
type AuthServiceConfig struct {
	// Address is the base URL of the auth service and may have a path.
	Address string
	// ExternalAddress is the base URL of the gateway, where the server login is.
	ExternalAddress string
	// ServerSecret is what the server login asks for.
	ServerSecret string
	// RefreshInterval is the time between logins. Zero means one hour.
	RefreshInterval time.Duration
	// ServiceSecret, if not empty, is sent instead of a server token; then there are no logins.
	ServiceSecret string
	// UserAgent, if not empty, is sent with each call to the auth service.
	UserAgent string
}

// AuthService is the client of the platform auth service: restricted tokens, which open one patient's report to somebody
// who has no account.
type AuthService struct {
	upstream *upstream
	session  *serverSession
	config   AuthServiceConfig
}

// RestrictedToken lets its holder see a few things of one user for a while.
type RestrictedToken struct {
	ID             string    `json:"id"`
	UserID         string    `json:"userId"`
	Paths          []string  `json:"paths"`
	ExpirationTime time.Time `json:"expirationTime"`
	CreatedTime    time.Time `json:"createdTime"`
}

// NewAuthService returns a client that has not logged in yet, or an error when an address is no URL.
func NewAuthService(config AuthServiceConfig, options Options) (*AuthService, error) {
	options = options.withDefaults()
	if config.RefreshInterval <= 0 {
		config.RefreshInterval = authRefreshInterval
	}
	client := proxied(options)
	auth, err := newUpstream("auth", config.Address, client, options)
	if err != nil {
		return nil, err
	}
	gateway, err := newUpstream("gateway", config.ExternalAddress, client, options)
	if err != nil {
		return nil, err
	}
	login := serverLogin{
		upstream: gateway, path: []string{"auth", "serverlogin"}, name: "clinic", secret: config.ServerSecret,
	}
	return &AuthService{upstream: auth, config: config, session: &serverSession{
		login: login.token,
		now:   options.Now,
		log:   options.Logger.Named("auth-service"),
		level: zapcore.WarnLevel,
	}}, nil
}

// Start logs in and keeps the server token fresh, all in the background. It neither waits nor fails: few operations need
// the auth service, and each of them logs in by itself while there is no token.
func (s *AuthService) Start() {
	if s.config.ServiceSecret == "" {
		s.session.keepFresh(0, s.config.RefreshInterval)
	}
}

// Stop ends the refreshing. It may be called without Start.
func (s *AuthService) Stop() { s.session.end() }

// CreateRestrictedToken creates a token for one user with the lifetime that the auth service chooses.
func (s *AuthService) CreateRestrictedToken(ctx context.Context, userID string) (RestrictedToken, error) {
	const operation = "create restricted token"
	reply, err := s.send(ctx, request{
		operation: operation, method: http.MethodPost,
		path:   []string{"v1", "users", userID, "restricted_tokens"},
		header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		body:   struct{}{},
	})
	if err != nil {
		return RestrictedToken{}, err
	}
	if reply.status < 200 || reply.status > 299 {
		return RestrictedToken{}, s.upstream.unexpected(operation, reply)
	}
	return s.restrictedToken(operation, reply)
}

// GetRestrictedToken returns a token by its id. For an id that does not exist the error is of kind errs.Unauthorized.
// Whether the token has expired, and for whom it is, is for the caller to judge.
func (s *AuthService) GetRestrictedToken(ctx context.Context, id string) (RestrictedToken, error) {
	const operation = "get restricted token"
	reply, err := s.send(ctx, request{
		operation: operation, method: http.MethodGet, path: []string{"v1", "restricted_tokens", id},
	})
	switch {
	case errors.Is(err, errImpossiblePath):
		return RestrictedToken{}, errNoRestrictedToken
	case err != nil:
		return RestrictedToken{}, err
	case isMissing(reply):
		return RestrictedToken{}, errNoRestrictedToken
	case reply.status != http.StatusOK:
		return RestrictedToken{}, s.upstream.unexpected(operation, reply)
	}
	return s.restrictedToken(operation, reply)
}

var errNoRestrictedToken = errs.Because("report_token_invalid", errs.Unauthorizedf("invalid or expired token"))

// isMissing tells the auth service's own 404 from that of a gateway that has no such route.
func isMissing(reply answer) bool {
	if reply.status != http.StatusNotFound {
		return false
	}
	if len(reply.body) == 0 {
		return true
	}
	var problem struct {
		Code string `json:"code"`
	}
	return json.Unmarshal(reply.body, &problem) == nil && problem.Code == "resource-not-found"
}

// restrictedToken reads a token and refuses one that is malformed. An empty one would end up in a report URL.
func (s *AuthService) restrictedToken(operation string, reply answer) (RestrictedToken, error) {
	var token RestrictedToken
	if err := s.upstream.decode(operation, reply, &token); err != nil {
		return RestrictedToken{}, err
	}
	if !restrictedTokenID.MatchString(token.ID) || !userIDForm.MatchString(token.UserID) ||
		token.ExpirationTime.IsZero() || token.CreatedTime.IsZero() {
		return RestrictedToken{}, s.upstream.failure(operation, errors.New("answer has a malformed token"))
	}
	return token, nil
}

func (s *AuthService) send(ctx context.Context, r request) (answer, error) {
	if s.config.UserAgent != "" {
		r = r.with("User-Agent", s.config.UserAgent)
	}
	if s.config.ServiceSecret == "" {
		return s.upstream.sendAuthorized(ctx, s.session, sessionTokenHeader, r)
	}
	ctx, cancel := s.upstream.limited(ctx)
	defer cancel()
	return s.upstream.send(ctx, r.with("X-Tidepool-Service-Secret", s.config.ServiceSecret))
}
