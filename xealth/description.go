package xealth

import (
	"slices"
	"strings"
	"time"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/summary"
)

// latest returns the later of two times, either of which may be unknown; the zero time if both are.
func latest(a, b *time.Time) time.Time {
	var t time.Time
	for _, candidate := range []*time.Time{a, b} {
		if candidate != nil && candidate.After(t) {
			t = *candidate
		}
	}
	return t
}

// dates returns the dates of both kinds of statistics. What is missing has no dates.
func dates(summary *summary.Summary) (cgm, bgm summary.Dates) {
	if summary == nil {
		return cgm, bgm
	}
	if summary.CGMStats != nil {
		cgm = summary.CGMStats.Dates
	}
	if summary.BGMStats != nil {
		bgm = summary.BGMStats.Dates
	}
	return cgm, bgm
}

// describe sums up the state of a patient in one line. COMPAT: the "last upload" is when the statistics were made, so that
// it agrees with the alert, which comes back whenever they are made anew.
func describe(p *patients.Patient, updated, viewed time.Time) string {
	return strings.Join([]string{
		"Last Upload: " + day(updated),
		"Last Viewed by You: " + day(viewed),
		"Claimed Account?: " + claimed(p),
		"Cloud Connections: " + connections(p),
	}, " | ")
}

func day(t time.Time) string {
	if t.IsZero() {
		return "N/A"
	}
	return t.UTC().Format(time.DateOnly)
}

func claimed(p *patients.Patient) string {
	if p.Permissions != nil && !p.IsCustodial() {
		return "Yes"
	}
	return "No"
}

// connections lists one connection for each provider.
func connections(p *patients.Patient) string {
	if p.DataSources == nil {
		return "None"
	}
	newest := map[string]patients.DataSource{}
	for _, source := range *p.DataSources {
		kept, seen := newest[source.ProviderName]
		if !seen || kept.ModifiedTime == nil || source.ModifiedTime != nil && source.ModifiedTime.After(*kept.ModifiedTime) {
			newest[source.ProviderName] = source
		}
	}
	items := make([]string, 0, len(newest))
	for _, source := range newest {
		items = append(items, providerTitle(source.ProviderName)+" ("+stateText(source.State)+")")
	}
	if len(items) == 0 {
		return "None"
	}
	slices.Sort(items)
	return strings.Join(items, ", ")
}

// providerTitle writes a provider the way it writes itself.
func providerTitle(name string) string {
	name = strings.ToLower(name)
	if name == "" || name == "twiist" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func stateText(state string) string {
	if state == "pendingReconnect" {
		return "pending reconnect"
	}
	return strings.ToLower(state)
}
