package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

// addTag appends the tag to those of the patients who lack it, and returns their number.
func (r *Repository) addTag(ctx context.Context, who bson.D, tagID bson.ObjectID) (int, error) {
	first, err := r.changeAll(ctx,
		and(who, isNull("tags")...),
		bson.D{{Key: "$set", Value: bson.D{{Key: "tags", Value: bson.A{tagID}}}}})
	if err != nil {
		return first, err
	}
	more, err := r.changeAll(ctx,
		and(who, bson.E{Key: "tags", Value: bson.D{{Key: "$ne", Value: tagID}}}),
		bson.D{{Key: "$push", Value: bson.D{{Key: "tags", Value: tagID}}}})
	return first + more, err
}

// pullTag takes the tag off those of the patients who have it, and returns how often it stood in their lists.
func (r *Repository) pullTag(ctx context.Context, who bson.D, tagID bson.ObjectID) (int, error) {
	tagged := and(who, bson.E{Key: "tags", Value: tagID})
	repeats, err := r.repeats(ctx, tagged, func(census clinics.Census) int { return census.Tags[tagID] }, "tags")
	if err != nil {
		return 0, err
	}
	n, err := r.changeAll(ctx, tagged, bson.D{{Key: "$pull", Value: bson.D{{Key: "tags", Value: tagID}}}})
	return n + repeats, err
}
