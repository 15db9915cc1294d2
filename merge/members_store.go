package merge

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// changeMembers moves members to the target. Those who are members there keep that record as it is.
func (s *Service) changeMembers(ctx context.Context, merge *openMerge, steps []step) ([]step, error) {
	writes := sharedWrites{}
	now := store.Now()
	for i := range steps {
		if steps[i].Action == Move {
			writes.add(steps[i].Record, ofClinic(merge.SourceID), bson.D{{Key: "$set", Value: bson.D{
				{Key: "clinicId", Value: merge.TargetID}, {Key: "updatedTime", Value: now},
			}}})
		}
	}
	if models := writes.models(); len(models) > 0 {
		if _, err := s.members.BulkWrite(ctx, models); err != nil {
			return nil, refused(err)
		}
	}
	owners, err := clinicsByRecord(ctx, s.members, changedRecords(steps))
	if err != nil {
		return nil, err
	}
	applied, err := s.removeMerged(ctx, s.members, merge, owners, steps)
	if err != nil {
		return nil, err
	}
	return applied, s.addAdmins(ctx, merge, applied)
}

func (s *Service) addAdmins(ctx context.Context, merge *openMerge, steps []step) error {
	var admins []string
	for i := range steps {
		if steps[i].Admin && steps[i].UserID != "" {
			admins = append(admins, steps[i].UserID)
		}
	}
	if len(admins) == 0 {
		return nil
	}
	_, err := s.clinics.UpdateByID(ctx, merge.TargetID, bson.D{
		{Key: "$addToSet", Value: bson.D{{Key: "admins", Value: bson.D{{Key: "$each", Value: admins}}}}},
	})
	return err
}
