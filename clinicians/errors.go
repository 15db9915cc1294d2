package clinicians

import "github.com/tidepool-org/clinic/internal/errs"

// The errors of this package that callers see as they are.
var (
	ErrNotFound       = errs.Because("clinician_not_found", errs.New(errs.NotFound, "clinician not found"))
	ErrMember         = errs.Because("clinician_exists", errs.Duplicatef("clinician is already a member of the clinic"))
	ErrNobody         = errs.Because("clinician_unidentified", errs.BadRequestf("a clinician needs an id or an inviteId"))
	ErrUserID         = errs.Because("user_id_required", errs.BadRequestf("userId must not be empty"))
	ErrChanged        = errs.Because("changed_concurrently", errs.Conflictf("the clinician was changed at the same time"))
	ErrDuplicateEmail = errs.Because("email_taken_in_clinic", errs.Constraintf("duplicate email"))
)
