package api

import (
	"github.com/tidepool-org/clinic/internal/errs"
)

var (
	errQuery = errs.Because("query_malformed", errs.New(errs.BadRequest,
		"the query string cannot be decoded: percent signs begin escapes in UTF-8, and parameters are separated by &"))
	errOverloaded = errs.Because("overloaded", errs.Unavailablef("too much is being read at the same time, try again later"))
)

// errEmail answers an address that no mail can be sent to.
var errEmail = errs.Because("email_invalid", errs.BadRequestf("email is not an e-mail address"))
