package merge

import (
	"slices"
	"strings"

	"github.com/tidepool-org/clinic/clinics"
)

// settingPlan compares a setting that must be equal in both clinics.
type settingPlan struct {
	Name        string
	SourceValue string
	TargetValue string
	Obstacle    Obstacle
}

// Match reports whether the report shows the setting as equal.
func (s settingPlan) Match() bool { return s.SourceValue == s.TargetValue }

// restrictionsPlan compares who may become a member. The source may be stricter about fewer domains, but not about others.
type restrictionsPlan struct {
	SourceValue string
	TargetValue string
	Obstacle    Obstacle
}

// comparedSettings are the settings that must be equal. All others are those of the target after the merge.
var comparedSettings = []struct {
	name  string
	value func(c *clinics.Clinic) string
}{
	{"MRN Required", func(c *clinics.Clinic) string { return choose(mrnSettings(c).Required, "Required", "Not Required") }},
	{"MRN Unique", func(c *clinics.Clinic) string { return choose(mrnSettings(c).Unique, "Yes", "No") }},
	{"Glucose Units", func(c *clinics.Clinic) string { return c.PreferredBGUnits }},
	{"Timezone", func(c *clinics.Clinic) string { return valueOf(c.Timezone) }},
}

func mrnSettings(c *clinics.Clinic) clinics.MRNSettings { return valueOf(c.MRNSettings) }

func choose[T any](condition bool, yes, no T) T {
	if condition {
		return yes
	}
	return no
}

func (p *Plan) planSettings() {
	for _, setting := range comparedSettings {
		plan := settingPlan{Name: setting.name, SourceValue: setting.value(p.Source.Clinic), TargetValue: setting.value(p.Target.Clinic)}
		if !plan.Match() {
			plan.Obstacle = SettingsMismatch
		}
		p.Settings = append(p.Settings, plan)
	}
	source, target := p.Source.Clinic.MembershipRestrictions, p.Target.Clinic.MembershipRestrictions
	p.Restrictions = restrictionsPlan{SourceValue: showRestrictions(source), TargetValue: showRestrictions(target)}
	if !covers(target, source) {
		p.Restrictions.Obstacle = SettingsMismatch
	}
}

// covers reports whether every restriction of the source holds in the target as well. Of several for a domain, the last
// one counts.
func covers(target, source []clinics.MembershipRestriction) bool {
	wanted, have := providersByDomain(source), providersByDomain(target)
	for domain, provider := range wanted {
		if other, ok := have[domain]; !ok || other != provider {
			return false
		}
	}
	return true
}

func providersByDomain(restrictions []clinics.MembershipRestriction) map[string]string {
	providers := make(map[string]string, len(restrictions))
	for _, restriction := range restrictions {
		providers[restriction.EmailDomain] = restriction.RequiredIDP
	}
	return providers
}

func showRestrictions(restrictions []clinics.MembershipRestriction) string {
	if len(restrictions) == 0 {
		return "N/A"
	}
	items := make([]string, 0, len(restrictions))
	for _, restriction := range restrictions {
		items = append(items, restriction.EmailDomain+"/"+restriction.RequiredIDP)
	}
	slices.Sort(items)
	return strings.Join(items, ", ")
}
