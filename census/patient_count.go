package census

// PatientCount is a count in the form in which the clinic document holds it, for other services to read.
type PatientCount struct {
	Total     int                      `json:"total" bson:"total"`
	Demo      int                      `json:"demo" bson:"demo"`
	Plan      int                      `json:"plan" bson:"plan"`
	Providers map[string]ProviderCount `json:"providers,omitempty" bson:"providers,omitempty"`
	// LegacyPatientCount marks a count in the form of older writers, which has to be taken anew.
	LegacyPatientCount *int `json:"-" bson:"patientCount,omitempty"`
}

// ProviderCount counts the data sources of a provider by state.
type ProviderCount struct {
	States map[string]int `json:"states" bson:"states"`
	Total  int            `json:"total" bson:"total"`
}

// PatientCount returns the part of the count that the clinic document holds.
func (c Count) PatientCount() PatientCount {
	stored := PatientCount{Total: c.Total, Demo: c.Demo, Plan: c.Plan}
	for name, states := range c.Providers {
		if stored.Providers == nil {
			stored.Providers = map[string]ProviderCount{}
		}
		provider := ProviderCount{States: states}
		for _, n := range states {
			provider.Total += n
		}
		stored.Providers[name] = provider
	}
	return stored
}

func (p *PatientCount) count() Count {
	count := Count{Total: p.Total, Demo: p.Demo, Plan: p.Plan}
	for name, provider := range p.Providers {
		if count.Providers == nil {
			count.Providers = map[string]map[string]int{}
		}
		count.Providers[name] = provider.States
	}
	return count
}
