package platform

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/tidepool-org/clinic/internal/errs"
)

// OpenID is the client of the OpenID token endpoint.
type OpenID struct {
	upstream *upstream
}

// NewOpenID returns a client, or an error when the endpoint is no URL. The endpoint may be empty; calls then fail.
func NewOpenID(tokenEndpoint string, options Options) (*OpenID, error) {
	options = options.withDefaults()
	endpoint, err := newUpstream("openid", tokenEndpoint, proxied(options), options)
	if err != nil {
		return nil, err
	}
	return &OpenID{upstream: endpoint}, nil
}

var reasonRefused = errs.NewReason("client_credentials_refused")

// ServiceAccountUserID returns the user id of the service account that the client credentials belong to. The error is of
// kind errs.BadRequest when the endpoint refuses them.
func (o *OpenID) ServiceAccountUserID(ctx context.Context, clientID, clientSecret string) (string, error) {
	const operation = "service account token"
	ctx, cancel := o.upstream.limited(ctx)
	defer cancel()
	config := clientcredentials.Config{ClientID: clientID, ClientSecret: clientSecret, Scopes: []string{"openid"}}
	token, err := o.upstream.clientToken(ctx, operation, config, oauth2.AuthStyleInHeader)
	var first, second *tokenRefused
	if errors.As(err, &first) && first.isCallersFault() {
		// Some endpoints want the credentials in the form, and refuse them elsewhere.
		token, err = o.upstream.clientToken(ctx, operation, config, oauth2.AuthStyleInParams)
		if errors.As(err, &second) && second.isCallersFault() && (first.credentials || second.credentials) {
			return "", reasonRefused.Of(errs.Wrap(errs.BadRequest, "bad request: client credentials were refused", err))
		}
	}
	if err != nil {
		return "", err
	}
	idToken, ok := token.Extra("id_token").(string)
	if !ok {
		return "", o.upstream.failure(operation, errors.New("answer has no id token"))
	}
	subject, err := jwtSubject(idToken)
	if err != nil {
		return "", o.upstream.failure(operation, err)
	}
	if !subjectForm.MatchString(subject) {
		return "", o.upstream.failure(operation, errMalformedUserID)
	}
	return subject, nil
}

// jwtSubject reads the sub claim. The signature is not verified, because the token comes straight from its issuer over a
// connection that this service opened.
func jwtSubject(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("id token is not a JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return "", errors.New("id token is not a JWT")
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", errors.New("claims of the id token are not readable")
	}
	if claims.Subject == "" {
		return "", errors.New("id token has no subject")
	}
	return claims.Subject, nil
}
