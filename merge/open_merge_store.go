package merge

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/store"
)

// PlansCollectionName is the collection of what became of everything in merged clinics. Other services follow it:
// documents are inserted once and never updated.
const PlansCollectionName = "merge_plans"

// OpenMergesCollectionName is the collection of merges that are not complete. No other service follows it.
const OpenMergesCollectionName = "open_merges"

// stepsCollectionName is the collection of the steps that they have not applied yet. No other service follows it either.
const stepsCollectionName = "open_merge_steps"

// Indexes returns the indexes of the collections of this package.
func Indexes() []store.Indexes {
	return []store.Indexes{
		{Collection: PlansCollectionName, Indexes: []store.Index{
			{Name: "MergePlansByPlan", Keys: store.Ascending("planId", "type")},
			{Name: "MergePlansBySource", Keys: store.Ascending("plan.source._id")},
		}},
		{Collection: OpenMergesCollectionName, Indexes: []store.Index{
			// A clinic takes part in one merge at a time.
			{Name: "UniqueOpenMergeOfClinic", Keys: store.Ascending("clinics"), Unique: true},
		}},
		{Collection: stepsCollectionName, Indexes: []store.Index{
			{Name: "OpenMergeSteps", Keys: store.Ascending("mergeId", "order")},
		}},
	}
}

// open stores a new merge, whose lease anybody may take. It returns clinics.ErrNotFound if one of the clinics does not
// exist, ErrBlocked if they are the same, and ErrUnderWay if one of them takes part in another merge.
//
// The merge is stored before it is planned: a plan that was made while another merge of the clinics ended would be wrong.
func (s *Service) open(ctx context.Context, sourceID, targetID bson.ObjectID) error {
	for _, id := range []bson.ObjectID{sourceID, targetID} {
		if found, err := exists(ctx, s.clinics, byID(id)); err != nil || !found {
			return notFoundUnless(err)
		}
	}
	if sourceID == targetID {
		return s.refuse(sourceID, targetID, []Obstacle{SourceIsTarget})
	}
	merge := newOpenMerge(sourceID, targetID)
	_, err := s.merges.InsertOne(ctx, merge)
	if !store.IsDuplicate(err) && !store.IsDeadlock(err) { // either way, somebody stores a merge of the same clinics
		return err
	}
	return s.makeRoom(ctx, merge)
}

func notFoundUnless(err error) error {
	if err != nil {
		return err
	}
	return clinics.ErrNotFound
}

// makeRoom gives up a merge of one of the clinics that a process left before it changed anything. Another call for the same
// two clinics is no obstacle: the caller then waits for its lease.
func (s *Service) makeRoom(ctx context.Context, merge *openMerge) error {
	same, err := exists(ctx, s.merges, bson.D{{Key: "sourceId", Value: merge.SourceID}, {Key: "targetId", Value: merge.TargetID}})
	if same || err != nil {
		return err
	}
	left, err := s.acquire(ctx, append(bson.D{{Key: "clinics", Value: bson.D{{Key: "$in", Value: merge.Clinics}}}}, withoutTraces...))
	if err != nil {
		return err
	}
	if left == nil {
		return ErrUnderWay
	}
	return s.enterBlocked(ctx, left)
}

// openMerge returns the open merge that matches, or nil.
func (s *Service) openMerge(ctx context.Context, filter bson.D) (*openMerge, error) {
	var merge openMerge
	err := s.merges.FindOne(ctx, filter, options.FindOne()).Decode(&merge)
	if store.IsNotFound(err) {
		return nil, nil // no merge is no error
	}
	return &merge, err
}

// save changes the open merge. It returns errLost if this process does not have the lease any more.
func (s *Service) save(ctx context.Context, merge *openMerge, fields bson.D) error {
	return s.whileHeld(ctx, merge, func(held bson.D) (int64, error) {
		result, err := s.merges.UpdateOne(ctx, held, bson.D{{Key: "$set", Value: fields}})
		if err != nil {
			return 0, err
		}
		return result.MatchedCount, nil
	})
}

// discard deletes the open merge with its steps. It returns errLost if this process does not have the lease any more.
func (s *Service) discard(ctx context.Context, merge *openMerge) error {
	if held, err := exists(ctx, s.merges, heldBy(merge)); err != nil {
		return err
	} else if !held {
		return errLost
	}
	if err := s.discardSteps(ctx, merge); err != nil {
		return err
	}
	return s.whileHeld(ctx, merge, func(held bson.D) (int64, error) {
		result, err := s.merges.DeleteOne(ctx, held)
		if err != nil {
			return 0, err
		}
		return result.DeletedCount, nil
	})
}

// whileHeld repeats a write until it finds the open merge. A write can miss a document while the lease in it is being
// renewed, at least in DocumentDB.
func (s *Service) whileHeld(ctx context.Context, merge *openMerge, write func(held bson.D) (int64, error)) error {
	held := heldBy(merge)
	for {
		if n, err := write(held); err != nil || n == 1 {
			return err
		}
		still, err := exists(ctx, s.merges, held)
		if err != nil {
			return err
		}
		if !still {
			return errLost
		}
	}
}

func heldBy(merge *openMerge) bson.D {
	return bson.D{{Key: "_id", Value: merge.ID}, {Key: "holder", Value: merge.Holder}}
}
