package platform

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/tidepool-org/clinic/internal/flight"
)

const (
	// orderLimit is generous: an order repeats what the EHR knows about the patient.
	orderLimit = 16 << 20
	// expiryMargin is how long before its end an access token is no longer used.
	expiryMargin = 30 * time.Second
	// assumedLifetime is that of an access token of which none is said.
	assumedLifetime = 2 * time.Minute
)

// XealthConfig says where Xealth is and how this service identifies itself there.
type XealthConfig struct {
	ClientID, ClientSecret string
	// TokenURL is the OAuth token endpoint.
	TokenURL string
	// BaseURL is the base of the REST API and may have a path.
	BaseURL string
}

// Xealth is the client of Xealth's REST API.
type Xealth struct {
	api    *upstream
	issuer *upstream
	config XealthConfig

	shared flight.Group[string]
	mu     sync.Mutex
	token  oauth2.Token
}

// NewXealth returns a client, or an error when an address is no URL. Nothing is fetched before the first call.
func NewXealth(config XealthConfig, options Options) (*Xealth, error) {
	options = options.withDefaults()
	client := proxied(options)
	api, err := newUpstream("xealth", config.BaseURL, client, options)
	if err != nil {
		return nil, err
	}
	issuer, err := newUpstream("xealth", config.TokenURL, client, options)
	if err != nil {
		return nil, err
	}
	return &Xealth{api: api, issuer: issuer, config: config}, nil
}

// ErrOrderRefused tells that Xealth does not show an order, as may happen once it is canceled.
var ErrOrderRefused = errors.New("the order is refused")

// Order returns an order as the JSON that Xealth sent. All errors are plain; ErrOrderRefused is among their causes if
// Xealth knows the order but does not show it.
//
// A lost connection and a gateway timeout are tried once more, and a refused access token is replaced once, all within
// the time limit of one call.
func (x *Xealth) Order(ctx context.Context, deployment, orderID string) (json.RawMessage, error) {
	const operation = "read order"
	ctx, cancel := x.api.limited(ctx)
	defer cancel()
	r := request{
		operation: operation, method: http.MethodGet, limit: orderLimit,
		path: []string{"partner", "read", "order", deployment, orderID},
	}
	reply, err := x.send(ctx, r)
	if errors.Is(err, errLostConnection) || reply.status == http.StatusGatewayTimeout {
		reply, err = x.send(ctx, r)
	}
	if err != nil {
		return nil, err
	}
	if reply.status == http.StatusBadRequest {
		return nil, x.api.failure(operation, ErrOrderRefused)
	}
	if reply.status != http.StatusOK {
		return nil, x.api.unexpected(operation, reply)
	}
	if !strings.Contains(reply.header.Get("Content-Type"), "json") || !json.Valid(reply.body) {
		return nil, x.api.failure(operation, errUnusableAnswer)
	}
	return reply.body, nil
}

// send sends the request with the access token, and once more with a new one if it is refused.
func (x *Xealth) send(ctx context.Context, r request) (answer, error) {
	token, err := x.accessToken(ctx, "")
	if err != nil {
		return answer{}, err
	}
	reply, err := x.api.send(ctx, r.with("Authorization", "Bearer "+token))
	if err != nil || reply.status != http.StatusUnauthorized {
		return reply, err
	}
	token, err = x.accessToken(ctx, token)
	if err != nil {
		return answer{}, err
	}
	return x.api.send(ctx, r.with("Authorization", "Bearer "+token))
}

// accessToken returns the held access token, or a new one if that is about to end or is the refused one.
func (x *Xealth) accessToken(ctx context.Context, refused string) (string, error) {
	return x.shared.Do(ctx, refused, func(ctx context.Context) (string, error) {
		x.mu.Lock()
		held := x.token
		x.mu.Unlock()
		if held.AccessToken != refused && held.Expiry.Sub(x.issuer.options.Now()) > expiryMargin {
			return held.AccessToken, nil
		}
		ctx, cancel := x.issuer.limited(ctx)
		defer cancel()
		config := clientcredentials.Config{ClientID: x.config.ClientID, ClientSecret: x.config.ClientSecret}
		token, err := x.issuer.clientToken(ctx, "access token", config, oauth2.AuthStyleInHeader)
		if err != nil {
			if !errors.Is(ctx.Err(), context.Canceled) { // nobody waits any more, which says nothing about the login
				x.issuer.options.LoginFailed(x.issuer.name)
			}
			return "", err
		}
		lifetime := assumedLifetime
		if !token.Expiry.IsZero() {
			lifetime = time.Until(token.Expiry) // which the library told by the system's clock
		}
		token.Expiry = x.issuer.options.Now().Add(lifetime)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.token = *token
		return token.AccessToken, nil
	})
}
