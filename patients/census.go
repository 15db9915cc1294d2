package patients

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
)

// facts returns what of the patient counts.
func (p *Patient) facts() census.Facts {
	facts := census.Facts{UserID: p.UserID, Tags: p.Tags}
	for _, site := range p.Sites {
		facts.Sites = append(facts.Sites, site.ID)
	}
	if p.DataSources != nil {
		for _, source := range *p.DataSources {
			facts.Sources = append(facts.Sources, census.Source{Provider: source.ProviderName, State: source.State})
		}
	}
	return facts
}

// censusFields are the fields that facts reads.
var censusFields = bson.D{
	{Key: "_id", Value: 0}, {Key: "userId", Value: 1}, {Key: "tags", Value: 1}, {Key: "sites.id", Value: 1},
	{Key: "dataSources.providerName", Value: 1}, {Key: "dataSources.state", Value: 1},
}

// difference returns what an update from before with the given lists of after changes in the numbers of the clinic.
func (s *Service) difference(before, after *Patient) census.Count {
	changed := *before
	if after.Tags != nil {
		changed.Tags = after.Tags
	}
	if after.Sites != nil {
		changed.Sites = after.Sites
	}
	if after.DataSources != nil {
		changed.DataSources = after.DataSources
	}
	return s.census.Of(changed.facts()).Minus(s.census.Of(before.facts()))
}
