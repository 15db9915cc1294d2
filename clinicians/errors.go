package clinicians

import "github.com/tidepool-org/clinic/internal/errs"

// The errors of this package that callers see as they are.
var (
	ErrNotFound       = errs.New(errs.NotFound, "clinician not found")
	ErrMember         = errs.Duplicatef("clinician is already a member of the clinic")
	ErrNobody         = errs.BadRequestf("a clinician needs an id or an inviteId")
	ErrUserID         = errs.BadRequestf("userId must not be empty")
	ErrChanged        = errs.Conflictf("the clinician was changed at the same time")
	ErrDuplicateEmail = errs.Constraintf("duplicate email")
)
