package merge

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

// state says how far a merge has come. The package comment has a drawing.
type state string

const (
	planning state = "planning" // the steps are being written
	planned  state = "planned"  // all steps are written, and none has been applied
	moving   state = "moving"   // the target has the tags and sites, and steps are being applied
	// The states in which a merge ends. Nobody stores them: the open merge is deleted.
	done    state = "done"    // the source is gone
	blocked state = "blocked" // the plan has obstacles, and nothing was changed
)

// transitions are the states that may follow a state.
var transitions = map[state][]state{
	planning: {planned, blocked},
	planned:  {moving},
	moving:   {planning, done},
}

// openMerge is a merge that is not complete. One process at a time works on it, the one that has the lease.
type openMerge struct {
	ID       bson.ObjectID   `bson:"_id"` // also the plan id of the plan documents
	SourceID bson.ObjectID   `bson:"sourceId"`
	TargetID bson.ObjectID   `bson:"targetId"`
	Clinics  []bson.ObjectID `bson:"clinics"` // both
	State    state           `bson:"state"`
	// Replanned is set once steps were applied: what is planned from then on is the rest.
	Replanned bool                 `bson:"replanned"`
	Tags      []clinics.PatientTag `bson:"tags"`  // that the target is to get
	Sites     []clinics.Site       `bson:"sites"` // that the target is to get, with their new names
	// ShareCodes are those of the source, which the target gets when the source has gone.
	ShareCodes []string `bson:"shareCodes"`
	// Clinic is the plan document that closes the merge.
	Clinic bson.Raw `bson:"clinic,omitempty"`

	// The lease says which process works on the merge. Its times are the database's own.
	Holder    bson.ObjectID `bson:"holder"`
	HeldUntil time.Time     `bson:"heldUntil"`
}

func newOpenMerge(sourceID, targetID bson.ObjectID) *openMerge {
	return &openMerge{
		ID: bson.NewObjectID(), SourceID: sourceID, TargetID: targetID, Clinics: []bson.ObjectID{sourceID, targetID}, State: planning,
	}
}

// leavesTraces reports whether the clinics may differ from what they were before the merge. Until then the merge can be
// given up.
func (m *openMerge) leavesTraces() bool { return m.State != planning || m.Replanned }

// withoutTraces matches the open merges that can be given up.
var withoutTraces = bson.D{{Key: "state", Value: planning}, {Key: "replanned", Value: false}}

// enterPlanned follows the last step that was written. What is known of the source at the first time counts, because later
// some of it has gone already.
func (s *Service) enterPlanned(ctx context.Context, m *openMerge, p *Plan) error {
	m.Tags, m.Sites = p.newTags(), p.newSites()
	fields := bson.D{{Key: "tags", Value: m.Tags}, {Key: "sites", Value: m.Sites}}
	if !m.Replanned {
		closing, err := p.closingDocument()
		if err != nil {
			return err
		}
		m.Clinic, m.ShareCodes = closing, p.Source.Clinic.ShareCodes
		fields = append(fields, bson.E{Key: "clinic", Value: m.Clinic}, bson.E{Key: "shareCodes", Value: m.ShareCodes})
	}
	return s.enter(ctx, m, planned, fields)
}

// enterMoving follows when the target has got the tags and sites.
func (s *Service) enterMoving(ctx context.Context, m *openMerge) error {
	return s.enter(ctx, m, moving, nil)
}

// enterPlanning follows when all steps are applied and something has come into the source meanwhile.
func (s *Service) enterPlanning(ctx context.Context, m *openMerge) error {
	m.Replanned = true
	return s.enter(ctx, m, planning, bson.D{{Key: "replanned", Value: true}})
}

// enterDone follows when the source is gone and the closing document is stored.
func (s *Service) enterDone(ctx context.Context, m *openMerge) error {
	return s.end(ctx, m, done)
}

// enterBlocked gives a merge up. One that leaves traces stays in planning instead: it goes on once the obstacles are gone.
func (s *Service) enterBlocked(ctx context.Context, m *openMerge) error {
	if m.leavesTraces() {
		return nil
	}
	return s.end(ctx, m, blocked)
}

// enter stores the next state, together with other fields, unless another process has the lease.
func (s *Service) enter(ctx context.Context, m *openMerge, next state, fields bson.D) error {
	if err := m.check(next); err != nil {
		return err
	}
	if err := s.save(ctx, m, append(fields, bson.E{Key: "state", Value: next})); err != nil {
		return err
	}
	m.State = next
	return nil
}

func (s *Service) end(ctx context.Context, m *openMerge, last state) error {
	if err := m.check(last); err != nil {
		return err
	}
	if err := s.discard(ctx, m); err != nil {
		return err
	}
	m.State = last
	return nil
}

func (m *openMerge) check(next state) error {
	if !slices.Contains(transitions[m.State], next) {
		return fmt.Errorf("a merge that is %s cannot become %s", m.State, next)
	}
	return nil
}
