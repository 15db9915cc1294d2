package clinics

import (
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/store"
)

// Service reads and changes clinics.
type Service struct {
	database   *store.Database
	collection *mongo.Collection
	lookup     *store.Lookup
	census     *census.Service
}

// NewService returns the clinics of the database.
func NewService(d *store.Database, census *census.Service) *Service {
	return &Service{database: d, collection: d.Collection(CollectionName), lookup: d.Lookup(CollectionName), census: census}
}
