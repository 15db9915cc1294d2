package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
)

// withTag returns those of the patients who have the tag.
func withTag(who bson.D, tagID bson.ObjectID) bson.D {
	return and(who, bson.E{Key: "tags", Value: tagID})
}

// withoutTag returns those of the patients who lack the tag, whatever is stored in place of their list.
func withoutTag(who bson.D, tagID bson.ObjectID) bson.D {
	return and(who, bson.E{Key: "tags", Value: bson.D{{Key: "$ne", Value: tagID}}})
}

// addTag appends the tag to those of the patients who lack it, and returns their number.
func (s *Service) addTag(ctx context.Context, who bson.D, tagID bson.ObjectID) (int, error) {
	first, err := s.changeAll(ctx,
		and(who, bson.E{Key: "tags", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$type", Value: "array"}}}}}),
		bson.D{{Key: "$set", Value: bson.D{{Key: "tags", Value: bson.A{tagID}}}}})
	if err != nil {
		return first, err
	}
	more, err := s.changeAll(ctx,
		withoutTag(who, tagID),
		bson.D{{Key: "$push", Value: bson.D{{Key: "tags", Value: tagID}}}})
	return first + more, err
}

// pullTag takes the tag off those of the patients who have it, and returns how often it stood in their lists.
func (s *Service) pullTag(ctx context.Context, who bson.D, tagID bson.ObjectID) (int, error) {
	tagged := withTag(who, tagID)
	repeats, err := s.repeats(ctx, tagged, func(c census.Count) int { return c.Tags[tagID] }, "tags")
	if err != nil {
		return 0, err
	}
	n, err := s.changeAll(ctx, tagged, bson.D{{Key: "$pull", Value: bson.D{{Key: "tags", Value: tagID}}}})
	return n + repeats, err
}
