package operator

import (
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// The exit statuses. A script can tell by them what to do next.
const (
	statusFailed   = 1 // for any other reason
	statusUsage    = 2 // the command line or the settings are wrong
	statusNotFound = 3 // what the command is about does not exist
	statusRefused  = 4 // the command may not be done as things are
	statusDatabase = 5 // the database does not answer, or refuses
	statusPartial  = 6 // some of it is done or is right, and some is not
)

// statuses says in words what they mean, for help and the reference page.
const statuses = `Exit status: 0 all is done and right; 1 failed for another reason; 2 wrong usage or settings; 3 not found;
4 refused as things are; 5 the database failed; 6 some of it failed or is not as it should be.`

// classed is an error that says itself what the status is.
type classed struct {
	error
	status int
}

func (c classed) Unwrap() error { return c.error }

func usage(format string, args ...any) error {
	return classed{fmt.Errorf(format, args...), statusUsage}
}

func refused(format string, args ...any) error {
	return classed{fmt.Errorf(format, args...), statusRefused}
}

func partial(format string, args ...any) error {
	return classed{fmt.Errorf(format, args...), statusPartial}
}

func (t *tool) status(err error) int {
	var class classed
	switch {
	case errors.As(err, &class):
		return class.status
	case !t.working: // the command line was not understood
		return statusUsage
	case errs.Is(err, errs.NotFound), store.IsNotFound(err):
		return statusNotFound
	case errs.KindOf(err) != errs.Internal && errs.KindOf(err) != "":
		return statusRefused
	case isDatabase(err):
		return statusDatabase
	default:
		return statusFailed
	}
}

func isDatabase(err error) bool {
	var refusedCommand mongo.CommandError
	var refusedWrite mongo.WriteException
	return mongo.IsTimeout(err) || mongo.IsNetworkError(err) || errors.As(err, &refusedCommand) || errors.As(err, &refusedWrite)
}
