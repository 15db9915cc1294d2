package auth

import (
	"errors"
	"strings"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
)

// ErrXealthOff tells that there is no Xealth integration. COMPAT: it is answered as an internal error.
var ErrXealthOff = errors.New("the Xealth integration is off")

var (
	errVerificationRequired = errs.Because("verification_token_required", errs.Unauthorizedf("verification token is required"))
	errVerificationInvalid  = errs.Because("verification_token_invalid", errs.Unauthorizedf("invalid verification token"))
	errBearerRequired       = errs.Because("bearer_token_required", errs.Unauthorizedf("bearer token is required"))
	errBearerInvalid        = errs.Because("bearer_token_invalid", errs.Unauthorizedf("bearer token is invalid"))
)

// Partners checks what partners prove themselves with. A credential that is not configured is never matched.
type Partners struct {
	redox    string
	xealth   string
	xealthOn bool
}

// NewPartners returns a check against the configured credentials.
func NewPartners(redox config.Redox, xealth config.Xealth) *Partners {
	return &Partners{redox: string(redox.VerificationToken), xealth: string(xealth.BearerToken), xealthOn: xealth.Enabled}
}

// Credentials are what a request brings to prove that a partner sent it.
type Credentials struct {
	VerificationToken string
	Authorization     string
}

// Check returns nil if the request comes from the partner that the operation is for, and for an operation that is for no
// partner. Otherwise the error is of kind Unauthorized, or ErrXealthOff.
func (p *Partners) Check(access Access, given Credentials) error {
	switch {
	case access.has(RuleRedox):
		if given.VerificationToken == "" {
			return errVerificationRequired
		}
		return p.RedoxEndpoint(given.VerificationToken)
	case access.has(RuleXealth):
		return p.fromXealth(given.Authorization)
	default:
		return nil
	}
}

// RedoxEndpoint checks the token by which Redox verifies the endpoint. It stands in the body, where a missing one is just a
// wrong one.
func (p *Partners) RedoxEndpoint(token string) error {
	if !SameSecret(token, p.redox) {
		return errVerificationInvalid
	}
	return nil
}

func (p *Partners) fromXealth(authorization string) error {
	if !p.xealthOn {
		return ErrXealthOff
	}
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok {
		return errBearerRequired
	}
	if !SameSecret(token, p.xealth) {
		return errBearerInvalid
	}
	return nil
}
