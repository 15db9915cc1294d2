package clinics

import (
	"time"
)

// EffectivePatientCountSettings returns the limits that hold for the clinic now: those that are stored, if it is a US
// clinic of the default tier, and none otherwise. COMPAT: a clinic is in the US if its country is exactly US or not known.
func (c *Clinic) EffectivePatientCountSettings() PatientCountSettings {
	if c.PatientCountSettings == nil || c.EffectiveTier() != defaultTier || !c.isInUS() {
		return PatientCountSettings{}
	}
	return PatientCountSettings{
		HardLimit: c.PatientCountSettings.HardLimit.current(),
		SoftLimit: c.PatientCountSettings.SoftLimit.current(),
	}
}

// PlanLimit returns how many custodial patients the clinic may have at the given time, nil if as many as it wants. The soft
// limit is for other services and never refuses.
func (c *Clinic) PlanLimit(now time.Time) *int {
	limit := c.EffectivePatientCountSettings().HardLimit
	if limit == nil || !limit.holds(now) {
		return nil
	}
	return &limit.Plan
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
