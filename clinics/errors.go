package clinics

import "github.com/tidepool-org/clinic/internal/errs"

// The errors of this package that callers see as they are.
var (
	ErrNotFound           = errs.Because("clinic_not_found", errs.New(errs.NotFound, "clinic not found"))
	ErrNoSuchCode         = errs.Because("share_code_not_found", errs.New(errs.NotFound, "not found"))
	ErrSettingsNotFound   = errs.Because("settings_not_found", errs.New(errs.NotFound, "not found"))
	ErrNotMigrated        = errs.Because("clinic_not_migrated", errs.Constraintf("clinic is not migrated"))
	ErrAlreadyMigrated    = errs.Because("clinic_migrated", errs.Constraintf("clinic is already migrated"))
	ErrIncompleteProfile  = errs.Because("clinic_incomplete", errs.Constraintf("incomplete clinic profile"))
	ErrDuplicateShareCode = errs.Because("share_code_taken", errs.New(errs.Duplicate, "duplicate share code"))
	ErrNotEmpty           = errs.Because("clinic_not_empty", errs.BadRequestf("deletion of non-empty clinics is not allowed"))
	ErrLastAdmin          = errs.Because("last_admin", errs.Constraintf("the clinic must have at least one admin"))
	ErrChanged            = errs.Because("changed_concurrently", errs.Conflictf("the clinic was changed at the same time"))

	ErrTagNotFound  = errs.Because("tag_not_found", errs.New(errs.NotFound, "patient tag not found"))
	ErrDuplicateTag = errs.Because("tag_exists", errs.New(errs.Duplicate, "duplicate patient tag"))
	ErrTooManyTags  = errs.Because("too_many_tags", errs.Constraintf("the clinic already has the maximum number of %d patient tags", MaxTags))

	ErrNoSuchSite    = errs.Because("site_not_found", errs.Constraintf("the clinic has no site with that name"))
	ErrDuplicateSite = errs.Because("site_exists", errs.New(errs.Duplicate, "duplicate site name"))
	ErrTooManySites  = errs.Because("too_many_sites", errs.Constraintf("the clinic already has the maximum number of %d sites", MaxSites))
)
