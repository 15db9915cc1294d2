package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
)

// census returns what one patient adds to the census of the clinic.
func (p *Patient) census(demoUserID string) clinics.Census {
	census := clinics.Census{Total: 1, Plan: 1}
	for _, id := range p.Tags {
		census.Tags = count(census.Tags, id)
	}
	for _, site := range p.Sites {
		census.Sites = count(census.Sites, site.ID)
	}
	if demoUserID != "" && p.UserID == demoUserID {
		census.Demo, census.Plan = 1, 0
		return census
	}
	if p.DataSources == nil {
		return census
	}
	for _, source := range *p.DataSources {
		if source.ProviderName == ProviderTwiist { // such patients are free of charge
			census.Plan = 0
		}
		if source.ProviderName == "" || source.State == "" {
			continue // older writers left such entries
		}
		if census.Providers == nil {
			census.Providers = map[string]map[string]int{}
		}
		census.Providers[source.ProviderName] = count(census.Providers[source.ProviderName], source.State)
	}
	return census
}

func count[K comparable](counts map[K]int, key K) map[K]int {
	if counts == nil {
		counts = map[K]int{}
	}
	counts[key]++
	return counts
}

// censusFields are the fields that census reads.
var censusFields = bson.D{
	{Key: "_id", Value: 0}, {Key: "userId", Value: 1}, {Key: "tags", Value: 1}, {Key: "sites.id", Value: 1},
	{Key: "dataSources.providerName", Value: 1}, {Key: "dataSources.state", Value: 1},
}

// CountPatients counts the patients of the clinic one by one. It reads all of them, and so is for rare use: see
// clinics.CensusKeeper.
func (r *Repository) CountPatients(ctx context.Context, clinicID bson.ObjectID) (clinics.Census, error) {
	cursor, err := r.collection.Find(ctx, bson.D{{Key: "clinicId", Value: clinicID}}, options.Find().SetProjection(censusFields))
	if err != nil {
		return clinics.Census{}, err
	}
	defer cursor.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the cursor was read to its end, or the error is known
	var total clinics.Census
	for cursor.Next(ctx) {
		var patient Patient
		if err := cursor.Decode(&patient); err != nil {
			return clinics.Census{}, err
		}
		total.Add(patient.census(r.demoUserID))
	}
	return total, cursor.Err()
}
