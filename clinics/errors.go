package clinics

import "github.com/tidepool-org/clinic/internal/errs"

// The errors of this package that callers see as they are.
var (
	ErrNotFound           = errs.New(errs.NotFound, "clinic not found")
	ErrNoSuchCode         = errs.New(errs.NotFound, "not found")
	ErrSettingsNotFound   = errs.New(errs.NotFound, "not found")
	ErrNotMigrated        = errs.Constraintf("clinic is not migrated")
	ErrAlreadyMigrated    = errs.Constraintf("clinic is already migrated")
	ErrIncompleteProfile  = errs.Constraintf("incomplete clinic profile")
	ErrDuplicateShareCode = errs.New(errs.Duplicate, "duplicate share code")
	ErrNotEmpty           = errs.BadRequestf("deletion of non-empty clinics is not allowed")
	ErrLastAdmin          = errs.Constraintf("the clinic must have at least one admin")
	ErrChanged            = errs.Conflictf("the clinic was changed at the same time")

	ErrTagNotFound  = errs.New(errs.NotFound, "patient tag not found")
	ErrDuplicateTag = errs.New(errs.Duplicate, "duplicate patient tag")
	ErrTooManyTags  = errs.Constraintf("the clinic already has the maximum number of %d patient tags", MaxTags)

	ErrNoSuchSite    = errs.Constraintf("the clinic has no site with that name")
	ErrDuplicateSite = errs.New(errs.Duplicate, "duplicate site name")
	ErrTooManySites  = errs.Constraintf("the clinic already has the maximum number of %d sites", MaxSites)
)
