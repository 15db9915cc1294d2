package platform

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/flight"
)

const (
	sessionTokenHeader = "X-Tidepool-Session-Token" //nolint:gosec // the name of a header, no credential
	serverNameHeader   = "X-Tidepool-Server-Name"
	serverSecretHeader = "X-Tidepool-Server-Secret" //nolint:gosec // the name of a header, no credential

	userRefreshInterval = time.Hour
)

// UserServiceConfig says where the user service is and how this service identifies itself there.
type UserServiceConfig struct {
	// Address is the base URL and may have a path.
	Address string
	// Secret is what the server login asks for.
	Secret string
}

// UserService is the client of the user service: session tokens and accounts.
type UserService struct {
	upstream *upstream
	session  *serverSession
	checks   flight.Group[Session]
}

// Session is what the user service says about a valid session token.
type Session struct {
	// UserID is never empty; for a server token it may be the name of a service.
	UserID string
	// IsServer is true for the token of a backend service.
	IsServer bool
}

// User is an account. All members may be empty. A user id that is not empty has the form of one.
type User struct {
	UserID         string   `json:"userid"`
	Username       string   `json:"username"`
	Emails         []string `json:"emails"`
	PasswordExists bool     `json:"passwordExists"`
	EmailVerified  bool     `json:"emailVerified"`
	Roles          []string `json:"roles"`
}

// IsCustodial reports whether nobody can log in to the account yet, so that its clinic manages it.
func (u User) IsCustodial() bool { return !u.PasswordExists }

// IsLegacyClinic reports whether the account is one of those that stood for a clinic before there were clinics.
func (u User) IsLegacyClinic() bool { return slices.Contains(u.Roles, "clinic") }

// NewUserService returns a client that has not logged in yet, or an error when the address is no URL.
func NewUserService(config UserServiceConfig, options Options) (*UserService, error) {
	options = options.withDefaults()
	users, err := newUpstream("user", config.Address, direct(options), options)
	if err != nil {
		return nil, err
	}
	login := serverLogin{upstream: users, path: []string{"serverlogin"}, name: "clinics", secret: config.Secret}
	return &UserService{upstream: users, session: &serverSession{
		login: login.token,
		now:   options.Now,
		log:   options.Logger.Named("user-service"),
		level: zapcore.ErrorLevel,
	}}, nil
}

// Start logs in and keeps the server token fresh from then on. Without a server token no request can be authenticated,
// so an error should end the process.
func (u *UserService) Start(ctx context.Context) error {
	if _, err := u.session.renew(ctx); err != nil {
		return err
	}
	u.session.keepFresh(userRefreshInterval, userRefreshInterval) //nolint:contextcheck // ends with Stop, not with ctx
	return nil
}

// Stop ends the refreshing. It may be called without Start.
func (u *UserService) Stop() { u.session.end() }

// CheckToken asks who a session token belongs to. Checks of the same token at the same moment share one call.
//
// Every error is of kind errs.Unauthorized with the same text. It has a cause when the user service could not be asked
// or answered something other than yes or no, which deserves a line in the log.
func (u *UserService) CheckToken(ctx context.Context, token string) (Session, error) {
	if !isSendable(token) {
		return Session{}, invalidToken(nil)
	}
	session, err := u.checks.Do(ctx, token, func(ctx context.Context) (Session, error) {
		return u.checkToken(ctx, token)
	})
	if err != nil && !errs.Is(err, errs.Unauthorized) {
		err = invalidToken(err)
	}
	return session, err
}

func (u *UserService) checkToken(ctx context.Context, token string) (Session, error) {
	const operation = "check token"
	reply, err := u.send(ctx, request{operation: operation, method: http.MethodGet, path: []string{"token", token}})
	if err != nil {
		return Session{}, err
	}
	switch reply.status {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusUnauthorized:
		return Session{}, invalidToken(nil)
	default:
		return Session{}, u.upstream.unexpected(operation, reply)
	}
	var claims struct {
		UserID   string `json:"userid"`
		IsServer bool   `json:"isserver"`
	}
	if err := u.upstream.decode(operation, reply, &claims); err != nil {
		return Session{}, err
	}
	if claims.UserID == "" {
		return Session{}, invalidToken(nil)
	}
	if !subjectForm.MatchString(claims.UserID) {
		return Session{}, u.upstream.failure(operation, errMalformedUserID)
	}
	return Session{UserID: claims.UserID, IsServer: claims.IsServer}, nil
}

func invalidToken(cause error) error {
	return errs.Wrap(errs.Unauthorized, "session token is invalid", cause)
}

// isSendable holds tokens back that could name another endpoint of the user service. Escaping alone would do if every
// proxy on the way kept to it; no real token looks like that.
func isSendable(token string) bool {
	return token != "" && token != "." && token != ".." &&
		!strings.ContainsAny(token, `/\`) && !strings.ContainsFunc(token, unicode.IsControl)
}

// GetUser returns the account with this user id or e-mail address, or an error of kind errs.NotFound. An answer without
// content is an account of which nothing is known.
func (u *UserService) GetUser(ctx context.Context, idOrEmail string) (User, error) {
	const operation = "get user"
	reply, err := u.send(ctx, request{operation: operation, method: http.MethodGet, path: []string{"user", idOrEmail}})
	if errors.Is(err, errImpossiblePath) {
		return User{}, errNoUser
	}
	if err != nil {
		return User{}, err
	}
	switch reply.status {
	case http.StatusOK:
	case http.StatusNoContent:
		return User{}, nil
	case http.StatusNotFound:
		return User{}, errNoUser
	default:
		return User{}, u.upstream.unexpected(operation, reply)
	}
	var user User
	if err := u.upstream.decode(operation, reply, &user); err != nil {
		return User{}, err
	}
	if user.UserID == "" {
		return user, nil
	}
	if err := u.upstream.checkUserID(operation, user.UserID); err != nil {
		return User{}, err
	}
	return user, nil
}

// account is what an account is created with or changed to. An account without an e-mail address is created from no
// members at all, but changed with an explicit empty list.
type account struct {
	Username string   `json:"username,omitempty"`
	Emails   []string `json:"emails,omitzero"`
}

// CreateCustodialUser creates an account that the clinic manages and returns it; its user id is not empty. Email may be
// "" for an account without one, and is expected in lower case. The error is of kind errs.Duplicate when the address
// belongs to another account.
func (u *UserService) CreateCustodialUser(ctx context.Context, clinicID, email string) (User, error) {
	const operation = "create user"
	var created account
	if email != "" {
		created = account{Username: email, Emails: []string{email}}
	}
	reply, err := u.send(ctx, request{
		operation: operation, method: http.MethodPost, path: []string{"v1", "clinics", clinicID, "users"}, body: created,
	})
	if err != nil {
		return User{}, err
	}
	switch reply.status {
	case http.StatusCreated:
	case http.StatusConflict:
		return User{}, errEmailTaken
	default:
		return User{}, u.upstream.unexpected(operation, reply)
	}
	var user User
	if err := u.upstream.decode(operation, reply, &user); err != nil {
		return User{}, err
	}
	if user.UserID == "" {
		return User{}, u.upstream.failure(operation, errors.New("answer has no user id"))
	}
	if err := u.upstream.checkUserID(operation, user.UserID); err != nil {
		return User{}, err
	}
	return user, nil
}

var errNoUser = errs.Because("user_not_found", errs.New(errs.NotFound, "not found"))

var errEmailTaken = errs.Because("email_taken", errs.Duplicatef("email address is already taken"))

// UpdateUser sets the e-mail address of an account, "" removes it. The error is of kind errs.Duplicate when the address
// belongs to another account.
func (u *UserService) UpdateUser(ctx context.Context, userID, email string) error {
	const operation = "update user"
	var body struct {
		Updates account `json:"updates"`
	}
	body.Updates.Emails = []string{}
	if email != "" {
		body.Updates = account{Username: email, Emails: []string{email}}
	}
	reply, err := u.send(ctx, request{
		operation: operation, method: http.MethodPut, path: []string{"user", userID}, body: body,
	})
	if err != nil {
		return err
	}
	switch reply.status {
	case http.StatusOK:
		return nil
	case http.StatusConflict:
		return errEmailTaken
	}
	return u.upstream.unexpected(operation, reply)
}

func (u *UserService) send(ctx context.Context, r request) (answer, error) {
	return u.upstream.sendAuthorized(ctx, u.session, sessionTokenHeader, r)
}
