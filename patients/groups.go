package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/store"
)

// Selection says which patients of a clinic are meant. The zero value is nobody.
type Selection struct {
	everyone bool
	userIDs  []string
}

// Everyone means all patients, the demo patient among them.
func Everyone() Selection { return Selection{everyone: true} }

// Only means the patients with these user ids. Ids of strangers mean nobody.
func Only(userIDs []string) Selection { return Selection{userIDs: userIDs} }

func (s Selection) in(clinicID bson.ObjectID) bson.D {
	filter := ofClinic(clinicID)
	if !s.everyone {
		filter = append(filter, bson.E{Key: "userId", Value: bson.D{{Key: "$in", Value: s.userIDs}}})
	}
	return filter
}

// and returns the filter with more conditions, leaving the filter itself as it is.
func and(filter bson.D, conditions ...bson.E) bson.D {
	return append(filter[:len(filter):len(filter)], conditions...)
}

// isNull returns the part of a filter that holds if a list is stored as null, as older writers did. Nothing can be appended
// to null.
func isNull(list string) []bson.E {
	return []bson.E{
		{Key: list, Value: bson.D{{Key: "$type", Value: "null"}}},
		{Key: list + ".0", Value: bson.D{{Key: "$exists", Value: false}}}, // a list with a null in it is of that type too
	}
}

// changeAll makes the update in all patients that match, gives them a new updatedTime, and returns their number.
func (s *Service) changeAll(ctx context.Context, filter, update bson.D, o ...options.Lister[options.UpdateManyOptions]) (int, error) {
	now := bson.E{Key: "updatedTime", Value: store.Now()}
	touched := make(bson.D, 0, len(update)+1)
	set := bson.D{now}
	for _, operator := range update {
		if operator.Key == "$set" {
			set = and(operator.Value.(bson.D), now) //nolint:errcheck // every update of this package is made so
			continue
		}
		touched = append(touched, operator)
	}
	result, err := s.collection.UpdateMany(ctx, filter, append(touched, bson.E{Key: "$set", Value: set}), o...)
	if err != nil {
		return 0, err
	}
	return int(result.ModifiedCount), nil
}

// repeats returns how often, beyond once each, a tag or site stands in the lists of the patients that match. Older writers
// let a patient have the same one twice, and the census counts both.
func (s *Service) repeats(ctx context.Context, filter bson.D, count func(census.Count) int, list string) (int, error) {
	values := bson.D{{Key: "$ifNull", Value: bson.A{"$" + list, bson.A{}}}}
	cursor, err := s.collection.Find(ctx, and(filter, bson.E{Key: "$expr", Value: bson.D{{Key: "$lt", Value: bson.A{
		bson.D{{Key: "$size", Value: bson.D{{Key: "$setUnion", Value: bson.A{values}}}}},
		bson.D{{Key: "$size", Value: values}},
	}}}}), options.Find().SetProjection(censusFields))
	if err != nil {
		return 0, err
	}
	var found []Patient
	if err := cursor.All(ctx, &found); err != nil {
		return 0, err
	}
	repeats := 0
	for i := range found {
		repeats += count(s.census.Of(found[i].facts())) - 1
	}
	return repeats, nil
}
