package merge

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/store"
)

// PlansCollectionName is the collection of what became of everything in merged clinics. Other services follow it:
// documents are inserted once and never updated.
const PlansCollectionName = "merge_plans"

// The collections of merges that are not complete, and of the steps that they still have to take. No other service follows
// them.
const (
	openMergesCollectionName = "open_merges"
	stepsCollectionName      = "open_merge_steps"
)

// Indexes returns the indexes of the collections of this package.
func Indexes() []store.Indexes {
	return []store.Indexes{
		{Collection: PlansCollectionName, Indexes: []store.Index{
			{Name: "MergePlansByPlan", Keys: store.Ascending("planId", "type")},
			{Name: "MergePlansBySource", Keys: store.Ascending("plan.source._id")},
		}},
		{Collection: openMergesCollectionName, Indexes: []store.Index{
			// A clinic takes part in one merge at a time.
			{Name: "UniqueOpenMergeOfClinic", Keys: store.Ascending("clinics"), Unique: true},
		}},
		{Collection: stepsCollectionName, Indexes: []store.Index{
			{Name: "OpenMergeSteps", Keys: store.Ascending("mergeId", "order")},
		}},
	}
}

// state says how far an open merge has come.
type state string

const (
	planning state = "planning" // the steps are being written
	planned  state = "planned"  // all steps are there, none was taken
	moving   state = "moving"   // steps are being taken
)

// openMerge is a merge that is not complete. It is held by one process at a time, which says now and then that it is alive.
type openMerge struct {
	ID       bson.ObjectID   `bson:"_id"` // also the plan id of the plan documents
	SourceID bson.ObjectID   `bson:"sourceId"`
	TargetID bson.ObjectID   `bson:"targetId"`
	Clinics  []bson.ObjectID `bson:"clinics"` // both
	State    state           `bson:"state"`
	// Replanned is set once steps were taken: what is planned from then on is the rest.
	Replanned bool                 `bson:"replanned"`
	Tags      []clinics.PatientTag `bson:"tags"`  // that the target is to get
	Sites     []clinics.Site       `bson:"sites"` // that the target is to get, with their new names
	// ShareCodes are those of the source, which the target gets when the source has gone.
	ShareCodes []string `bson:"shareCodes"`
	// Clinic is the document that closes the merge.
	Clinic bson.Raw `bson:"clinic"`

	Holder    bson.ObjectID `bson:"holder"`
	HeldUntil time.Time     `bson:"heldUntil"`
}

const (
	// defaultHoldTime is long enough for a process that is slow, and short enough for a caller who waits.
	defaultHoldTime = 5 * time.Second
	// beatTime is how often a holder gives a sign of life.
	beatTime = time.Second
	// releaseTime bounds the last word of a holder, who goes on when the caller has gone.
	releaseTime = 5 * time.Second
)

var errLost = errors.New("another process has taken the merge over")

// claim makes this call the holder of the open merge of the two clinics. It returns nil if there is none. It waits for a
// holder who may be dead, and returns ErrUnderWay if that one lives.
func (s *Service) claim(ctx context.Context, sourceID, targetID bson.ObjectID) (*openMerge, error) {
	pair := bson.D{{Key: "sourceId", Value: sourceID}, {Key: "targetId", Value: targetID}}
	for deadline := time.Now().Add(2 * s.HoldTime); ; {
		var merge openMerge
		err := s.merges.FindOneAndUpdate(ctx,
			append(pair[:2:2], bson.E{Key: "heldUntil", Value: bson.D{{Key: "$lt", Value: store.Now()}}}),
			bson.D{{Key: "$set", Value: bson.D{{Key: "holder", Value: bson.NewObjectID()}, {Key: "heldUntil", Value: store.Now().Add(s.HoldTime)}}}},
			options.FindOneAndUpdate().SetReturnDocument(options.After),
		).Decode(&merge)
		if err == nil || !store.IsNotFound(err) {
			return &merge, err
		}
		n, err := s.merges.CountDocuments(ctx, pair, options.Count().SetLimit(1))
		if err != nil || n == 0 {
			return nil, err
		}
		if time.Now().After(deadline) {
			return nil, ErrUnderWay
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(s.HoldTime / 20):
		}
	}
}

// open writes down that a merge begins, held by this call. It returns ErrUnderWay if one of the clinics is part of another.
func (s *Service) open(ctx context.Context, merge *openMerge) error {
	merge.Holder, merge.HeldUntil = bson.NewObjectID(), store.Now().Add(s.HoldTime)
	_, err := s.merges.InsertOne(ctx, merge)
	return store.OneOf(err, nil, ErrUnderWay)
}

// hold gives signs of life until the returned function is called, which lets go of the merge. The returned context ends
// when another process has taken the merge over.
func (s *Service) hold(ctx context.Context, merge *openMerge) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if s.beat(ctx, merge) {
			cancel(errLost)
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-stopped
		release, done := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
		defer done()
		if _, err := s.extend(release, merge, time.Time{}); err != nil {
			s.log.Warn("a merge stays held for a while", zap.String("clinicId", merge.SourceID.Hex()), zap.Error(err))
		}
	}
}

// beat gives signs of life until the context ends or the merge is complete. It reports whether another process has taken the
// merge over.
func (s *Service) beat(ctx context.Context, merge *openMerge) bool {
	ticker := time.NewTicker(beatTime)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
			if held, err := s.extend(ctx, merge, store.Now().Add(s.HoldTime)); err != nil || held {
				continue // what the database does not answer now, it may answer next time
			}
			if open, err := exists(ctx, s.merges, byID(merge.ID)); err == nil {
				return open
			}
		}
	}
}

// extend says until when the merge is held, and reports whether it still is by this call.
func (s *Service) extend(ctx context.Context, merge *openMerge, until time.Time) (bool, error) {
	result, err := s.merges.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: merge.ID}, {Key: "holder", Value: merge.Holder}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "heldUntil", Value: until}}}})
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

// update stores changed fields of the open merge.
func (s *Service) update(ctx context.Context, merge *openMerge, fields bson.D) error {
	_, err := s.merges.UpdateByID(ctx, merge.ID, bson.D{{Key: "$set", Value: fields}})
	return err
}

// close forgets a merge that is complete, or of which no step was taken.
func (s *Service) close(ctx context.Context, merge *openMerge) error {
	if err := s.discardSteps(ctx, merge); err != nil {
		return err
	}
	for {
		result, err := s.merges.DeleteOne(ctx, byID(merge.ID))
		if err != nil || result.DeletedCount == 1 {
			return err
		}
		// A deletion can miss a document while a sign of life is being written into it, at least in DocumentDB.
		if open, err := exists(ctx, s.merges, byID(merge.ID)); err != nil || !open {
			return err
		}
	}
}
