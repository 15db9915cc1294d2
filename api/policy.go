package api

import (
	"context"
	"net/http"
	"path"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/internal/errs"
)

var (
	errNoOperation = errs.Because("operation_unknown", errs.New(errs.NotFound, "no matching operation was found"))
	// COMPAT: a known path with another method is not found, rather than not allowed.
	errMethod    = errs.Because("method_not_allowed", errs.New(errs.NotFound, "method not allowed"))
	errForbidden = errs.Because("not_authorized", errs.New(errs.Forbidden, "security requirements failed: the subject is not authorized for the requested action"))
)

const (
	// verificationHeader carries the secret of Redox.
	verificationHeader = "verification-token"
	// verifyEndpoint is the one operation of a partner whose body carries the credential.
	verifyEndpoint = "VerifyEndpoint"
)

// Memberships tells what a user is in a clinic. A user without a record there is neither member nor admin; that is no
// error.
type Memberships interface {
	Membership(ctx context.Context, clinicID bson.ObjectID, userID string) (auth.Membership, error)
}

// findOperation decides whether the request is for an operation of the interface document.
func findOperation(document *Document) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			template := c.Path()
			if operation, ok := document.operations[route{c.Request().Method, template}]; ok && !hasEmptyParameter(c) {
				c.Set(operationKey, operation)
				return next(c)
			}
			switch {
			case isOpen(c.Request().URL.Path):
				return next(c) // the router answers by itself, also 404 and 405
			case document.paths[template] && !hasEmptyParameter(c), isServedElsewhere(c.Request()):
				return errMethod
			default:
				return errNoOperation
			}
		}
	}
}

// hasEmptyParameter reports whether two slashes stand together where a parameter should be, or the path ends in a slash;
// the router would accept that.
func hasEmptyParameter(c echo.Context) bool {
	for _, value := range c.ParamValues()[:len(c.ParamNames())] {
		if value == "" {
			return true
		}
	}
	return false
}

// authorize decides whether the caller may call the operation.
func authorize(memberships Memberships, partners *auth.Partners) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			operation, ok := c.Get(operationKey).(*operation)
			if !ok {
				return next(c)
			}
			if operation.access.IsOpen() {
				if err := partnerCheck(c, partners, operation); err != nil {
					return err
				}
				return next(c)
			}
			ctx, parameters := c.Request().Context(), pathParameters(c)
			caller := auth.CallerFrom(ctx)
			// Most callers of most operations need not be members, and then nobody has to ask the database.
			if operation.access.Allows(caller, auth.Membership{}, parameters) {
				return next(c)
			}
			membership, err := membership(ctx, memberships, parameters["clinicId"], caller)
			if err != nil {
				return err
			}
			if !operation.access.Allows(caller, membership, parameters) {
				return errForbidden
			}
			return next(c)
		}
	}
}

// partnerCheck looks at what a partner proves itself with, before anybody reads what it sent.
func partnerCheck(c echo.Context, partners *auth.Partners, operation *operation) error {
	if operation.id == verifyEndpoint {
		return nil // the credential stands in the body, so the handler checks it
	}
	header := c.Request().Header
	return partners.Check(operation.access, auth.Credentials{
		VerificationToken: header.Get(verificationHeader), Authorization: header.Get(echo.HeaderAuthorization),
	})
}

func membership(ctx context.Context, memberships Memberships, clinic string, caller auth.Caller) (auth.Membership, error) {
	clinicID, malformed := bson.ObjectIDFromHex(clinic)
	if malformed != nil {
		return auth.Membership{}, nil //nolint:nilerr // nobody is a member of a clinic that cannot exist
	}
	return memberships.Membership(ctx, clinicID, caller.UserID)
}

// servedElsewhere are operations of the same interface family that the gateway sends to the service of invitations.
var servedElsewhere = []string{
	"/v1/clinics/*/invites/clinicians", "/v1/clinics/*/invites/clinicians/*",
	"/v1/clinics/*/invites/patients", "/v1/clinics/*/invites/patients/*",
	"/v1/clinicians/*/invites", "/v1/clinicians/*/invites/*",
}

func isServedElsewhere(r *http.Request) bool {
	for _, pattern := range servedElsewhere {
		if ok, _ := path.Match(pattern, r.URL.EscapedPath()); ok {
			return true
		}
	}
	return false
}
