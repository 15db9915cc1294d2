package clinics

import (
	"time"

	"github.com/tidepool-org/clinic/internal/errs"
)

// ErrTooManyPatients tells that the clinic has as many patients as it may create.
var ErrTooManyPatients = errs.Because("patient_limit_reached", errs.PaymentRequiredf("patient count exceeds limit"))

// EffectivePatientCountSettings returns the limits that hold for the clinic now: those that are stored, if it is a US
// clinic of the default tier, and none otherwise. COMPAT: a clinic is in the US if its country is exactly US or not known.
func (c *Clinic) EffectivePatientCountSettings() PatientCountSettings {
	if c.PatientCountSettings == nil || c.EffectiveTier() != DefaultTier || !c.isInUS() {
		return PatientCountSettings{}
	}
	return PatientCountSettings{
		HardLimit: c.PatientCountSettings.HardLimit.current(),
		SoftLimit: c.PatientCountSettings.SoftLimit.current(),
	}
}

// CheckLimit returns ErrTooManyPatients if the clinic must not create another custodial patient at the given time, as
// judged by its stored count. The soft limit is for other services and never refuses.
func (c *Clinic) CheckLimit(now time.Time) error {
	limit := c.EffectivePatientCountSettings().HardLimit
	if limit == nil || !limit.holds(now) {
		return nil
	}
	if c.PatientCount != nil && c.PatientCount.Plan >= limit.Plan || c.PatientCount == nil && limit.Plan <= 0 {
		return ErrTooManyPatients
	}
	return nil
}

func (c *Clinic) isInUS() bool { return c.Country == nil || *c.Country == "" || *c.Country == "US" }

// current returns the limit in today's form, and nil for nil.
func (l *PatientCountLimit) current() *PatientCountLimit {
	if l == nil {
		return nil
	}
	limit := *l
	if limit.Plan == 0 && limit.PatientCount != nil {
		limit.Plan = *limit.PatientCount
	}
	limit.PatientCount = nil
	return &limit
}

func (l *PatientCountLimit) holds(now time.Time) bool {
	started := l.StartDate == nil || !now.Before(*l.StartDate)
	ended := l.EndDate != nil && now.After(*l.EndDate)
	return started && !ended
}
