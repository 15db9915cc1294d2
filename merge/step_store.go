package merge

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// step is what is to be done with one record, and the plan document that is to be inserted when it is done. Steps are
// written before the first of them is applied, because afterwards the plan could not be made again, and each is deleted
// when it is done.
type step struct {
	ID      bson.ObjectID   `bson:"_id"` // also the id of the plan document
	MergeID bson.ObjectID   `bson:"mergeId"`
	Order   int             `bson:"order"`
	Kind    Kind            `bson:"kind"`
	Action  Action          `bson:"action"`
	Record  bson.ObjectID   `bson:"record"`
	Into    bson.ObjectID   `bson:"into,omitempty"`
	UserID  string          `bson:"userId,omitempty"`
	Admin   bool            `bson:"admin,omitempty"`  // a member who moves as an admin
	Tags    []string        `bson:"tags,omitempty"`   // names of the tags of a patient after the merge
	Sites   []patients.Site `bson:"sites,omitempty"`  // sites that a patient of the target gets, or that get another name for one who moves
	Unique  bool            `bson:"unique,omitempty"` // whether the MRN of a patient has to be unique from then on
	Name    string          `bson:"name,omitempty"`   // of a site before the merge
	Plan    bson.Raw        `bson:"plan"`
}

// stepBatch bounds how many steps are in memory, and in a transaction, at once.
const stepBatch = 200

func (s *Service) insertSteps(ctx context.Context, steps []step) error {
	if len(steps) == 0 {
		return nil
	}
	_, err := s.steps.InsertMany(ctx, steps)
	return err
}

// nextSteps returns the first steps that are left, all of one kind, and looks behind the step of the given number first. There
// is none when it returns an empty list.
//
// It asks for a range of numbers: to find the first ones by their order, the database may sort all that are left each time.
func (s *Service) nextSteps(ctx context.Context, merge *openMerge, behind int) ([]step, error) {
	steps, err := s.stepsBehind(ctx, merge, behind)
	if err != nil || len(steps) > 0 {
		return steps, err
	}
	var first step
	err = s.steps.FindOne(ctx, ofMerge(merge), options.FindOne().SetSort(store.Ascending("order")).SetProjection(store.Ascending("order"))).Decode(&first)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.stepsBehind(ctx, merge, first.Order-1)
}

// stepsBehind returns the steps that are left of the batch behind the number, as far as they are of one kind.
func (s *Service) stepsBehind(ctx context.Context, merge *openMerge, behind int) ([]step, error) {
	batch := append(ofMerge(merge), bson.E{Key: "order", Value: bson.D{{Key: "$gt", Value: behind}, {Key: "$lte", Value: behind + stepBatch}}})
	cursor, err := s.steps.Find(ctx, batch, options.Find().SetBatchSize(stepBatch+1)) // so that none is left for a second answer
	if err != nil {
		return nil, err
	}
	var steps []step
	if err := cursor.All(ctx, &steps); err != nil {
		return nil, err
	}
	slices.SortFunc(steps, func(a, b step) int { return a.Order - b.Order })
	for i := range steps {
		if steps[i].Kind != steps[0].Kind {
			return steps[:i], nil
		}
	}
	return steps, nil
}

// errRecorded tells that a plan document is there already.
var errRecorded = errors.New("a step has its plan document already")

// record inserts the plan documents of steps that are applied. Those that are there already stay as they are: a batch that was
// cut off may have left some. Only who expects that looks for them first; without a look, record returns errRecorded.
func (s *Service) record(ctx context.Context, steps []step, look bool) error {
	recorded := map[bson.ObjectID]bool{}
	if look && len(steps) > 0 {
		var err error
		if recorded, err = s.recorded(ctx, steps); err != nil {
			return err
		}
	}
	documents := make([]planDocument, 0, len(steps))
	for i := range steps {
		if !recorded[steps[i].ID] {
			documents = append(documents, planDocument{ID: steps[i].ID, Plan: steps[i].Plan, PlanID: steps[i].MergeID, Type: steps[i].Kind})
		}
	}
	if len(documents) == 0 {
		return nil
	}
	_, err := s.plans.InsertMany(ctx, documents)
	if store.IsDuplicate(err) {
		return errors.Join(errRecorded, err)
	}
	return err
}

// planDocument is what is stored of a plan for each record. COMPAT: other services read it.
type planDocument struct {
	ID     bson.ObjectID `bson:"_id"`
	Plan   bson.Raw      `bson:"plan"`
	PlanID bson.ObjectID `bson:"planId"`
	Type   Kind          `bson:"type"`
}

// recorded returns which of the steps have their plan document.
func (s *Service) recorded(ctx context.Context, steps []step) (map[bson.ObjectID]bool, error) {
	cursor, err := s.plans.Find(ctx, oneOf(idsOf(steps)), options.Find().SetProjection(store.Ascending("_id")).SetBatchSize(stepBatch+1))
	if err != nil {
		return nil, err
	}
	var found []planDocument
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	recorded := make(map[bson.ObjectID]bool, len(found))
	for i := range found {
		recorded[found[i].ID] = true
	}
	return recorded, nil
}

func idsOf(steps []step) []bson.ObjectID {
	ids := make([]bson.ObjectID, 0, len(steps))
	for i := range steps {
		ids = append(ids, steps[i].ID)
	}
	return ids
}

func (s *Service) removeSteps(ctx context.Context, steps []step) error {
	_, err := s.steps.DeleteMany(ctx, oneOf(idsOf(steps)))
	return err
}

func (s *Service) discardSteps(ctx context.Context, merge *openMerge) error {
	_, err := s.steps.DeleteMany(ctx, ofMerge(merge))
	return err
}

func ofMerge(merge *openMerge) bson.D { return bson.D{{Key: "mergeId", Value: merge.ID}} }
