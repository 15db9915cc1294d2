package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/summary"
)

// SetSummary stores the statistics of a user in all clinics, and reports whether the user is a patient anywhere. Each half
// that has an id replaces the stored one as a whole, the other stays. Nil removes both.
func (s *Service) SetSummary(ctx context.Context, userID string, statistics *summary.Summary) (bool, error) {
	set := bson.D{{Key: "updatedTime", Value: store.Now()}}
	update := bson.D{{Key: "$unset", Value: bson.D{{Key: "summary", Value: ""}}}}
	if statistics != nil {
		update = nil
		if statistics.CGMStats != nil && statistics.CGMStats.ID != nil {
			set = append(set, bson.E{Key: "summary.cgmStats", Value: statistics.CGMStats})
		}
		if statistics.BGMStats != nil && statistics.BGMStats.ID != nil {
			set = append(set, bson.E{Key: "summary.bgmStats", Value: statistics.BGMStats})
		}
	}
	update = append(update, bson.E{Key: "$set", Value: set})
	filter := bson.D{{Key: "userId", Value: userID}}
	matched := false
	err := s.withoutNulls(ctx, filter, []string{"summary"}, func() error {
		result, err := s.collection.UpdateMany(ctx, filter, update)
		if err == nil {
			matched = result.MatchedCount > 0
		}
		return err
	})
	return matched, err
}

// RemoveSummary removes the statistics with this id from all patients, and reports whether there were any. It does not
// count as a change of the patients.
func (s *Service) RemoveSummary(ctx context.Context, summaryID string) (bool, error) {
	removed := false
	for _, half := range []string{"summary.cgmStats", "summary.bgmStats"} {
		result, err := s.collection.UpdateMany(ctx,
			bson.D{{Key: half + ".id", Value: summaryID}},
			bson.D{{Key: "$unset", Value: bson.D{{Key: half, Value: ""}}}})
		if err != nil {
			return removed, err
		}
		removed = removed || result.ModifiedCount > 0
	}
	return removed, nil
}
