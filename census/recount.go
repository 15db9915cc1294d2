package census

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

const (
	// countTime bounds the counting of the patients of one clinic.
	countTime = 30 * time.Second
	// quietAttempts is how often a recount without transactions looks for a moment without changes.
	quietAttempts = 3
)

// errBusy tells that a recount without transactions found no moment at which nobody changed the clinic.
var errBusy = errors.New("the patients of the clinic change while they are counted")

// Recount counts the patients of the clinic one by one, and adds what is missing to the stored numbers, or takes away what is
// too much. It returns this drift, which is zero if the numbers were right, and ErrNoClinic if there is no such clinic. It
// writes the clinic only if its number was wrong.
func (s *Service) Recount(ctx context.Context, clinicID bson.ObjectID) (Count, error) {
	if !s.database.HasTransactions() {
		return s.recountQuietly(ctx, clinicID)
	}
	var found comparison
	err := s.database.InTx(ctx, func(ctx context.Context) (err error) {
		if found, err = s.read(ctx, clinicID); err == nil && found.replaces {
			err = s.correct(ctx, clinicID, found) // a writer in between would find no number to add to
		}
		return err
	})
	if err == nil && !found.replaces {
		err = s.database.InTx(ctx, func(ctx context.Context) error { return s.correct(ctx, clinicID, found) })
	}
	return found.drift, err
}

// comparison is what is stored about a clinic against what is counted, both at one moment.
type comparison struct {
	drift   Count
	left    []note // notes that were left behind: what they reserved is part of the drift
	unknown bson.D // what is stored for tags and sites that the clinic does not have
	// replaces tells that the clinic held no number that a difference could be added to.
	replaces bool
	stored   bson.RawValue
	counted  Count
}

// read compares. The transaction that it runs in makes that one moment.
func (s *Service) read(ctx context.Context, clinicID bson.ObjectID) (comparison, error) {
	clinic, err := s.readClinic(ctx, clinicID)
	if err != nil {
		return comparison{}, err
	}
	known, err := s.readGroups(ctx, []bson.ObjectID{clinicID})
	if err != nil {
		return comparison{}, err
	}
	left, underWay, err := s.notesOf(ctx, clinicID)
	if err != nil {
		return comparison{}, err
	}
	counted, err := s.countPatients(ctx, clinicID)
	if err != nil {
		return comparison{}, err
	}
	found := comparison{left: left, replaces: !clinic.hasCount(), stored: clinic.stored, counted: counted}
	stored := Count{}
	if clinic.hasCount() {
		stored = clinic.PatientCount.count()
	}
	if groups, ok := known[clinicID]; ok {
		stored.Groups = clinic.own(groups.groups())
		found.unknown = strangers(groups.groups(), stored.Groups)
	}
	counted.Groups = clinic.own(counted.Groups)
	for _, n := range underWay {
		counted = counted.Plus(n.reserved())
	}
	found.drift = counted.Minus(stored)
	return found, nil
}

// strangers returns the part of an update that removes the entries that are stored but not the clinic's own.
func strangers(stored, own Groups) bson.D {
	var unset bson.D
	for id := range stored.Tags {
		if _, ok := own.Tags[id]; !ok {
			unset = append(unset, bson.E{Key: "tags." + id.Hex(), Value: ""})
		}
	}
	for id := range stored.Sites {
		if _, ok := own.Sites[id]; !ok {
			unset = append(unset, bson.E{Key: "sites." + id.Hex(), Value: ""})
		}
	}
	return unset
}

// correct stores the result of a comparison.
func (s *Service) correct(ctx context.Context, clinicID bson.ObjectID, found comparison) error {
	if found.replaces {
		if err := s.replaceOldForm(ctx, clinicID, found); err != nil {
			return err
		}
		found.drift = Count{Groups: found.drift.Groups}
	}
	if err := s.add(ctx, clinicID, found.drift, terms{}); err != nil {
		return err
	}
	update := bson.D{{Key: "$set", Value: bson.D{{Key: "countedTime", Value: store.Now()}}}}
	if len(found.unknown) > 0 {
		update = append(update, bson.E{Key: "$unset", Value: found.unknown})
	}
	_, err := s.census.UpdateOne(ctx, bson.D{{Key: "_id", Value: clinicID}}, update, options.UpdateOne().SetUpsert(true))
	if err != nil {
		return err
	}
	return s.removeNotes(ctx, found.left)
}

// replaceOldForm stores a number for a clinic that has none, or one in an older form. Whoever adds patients meanwhile asks for
// a recount.
func (s *Service) replaceOldForm(ctx context.Context, clinicID bson.ObjectID, found comparison) error {
	old := bson.E{Key: "patientCount", Value: bson.D{{Key: "$exists", Value: false}}}
	if !found.stored.IsZero() {
		old.Value = found.stored
	}
	_, err := s.clinics.UpdateOne(ctx, bson.D{{Key: "_id", Value: clinicID}, old},
		bson.D{{Key: "$set", Value: bson.D{{Key: "patientCount", Value: found.counted.PatientCount()}}}})
	return err
}

// recountQuietly is Recount without transactions: what is stored and what is counted belong together if nobody changed the
// clinic in between. Otherwise it tries again, and leaves it to the background in the end: those who change the clinic add
// their differences meanwhile.
func (s *Service) recountQuietly(ctx context.Context, clinicID bson.ObjectID) (Count, error) {
	for range quietAttempts {
		before, err := s.Changes(ctx, clinicID)
		if err != nil {
			return Count{}, err
		}
		_, busyBefore, err := s.notesOf(ctx, clinicID)
		if err != nil {
			return Count{}, err
		}
		found, err := s.read(ctx, clinicID)
		if err != nil {
			return Count{}, err
		}
		_, busyAfter, err := s.notesOf(ctx, clinicID)
		if err != nil {
			return Count{}, err
		}
		after, err := s.Changes(ctx, clinicID)
		if err != nil {
			return Count{}, err
		}
		if before == after && len(busyBefore)+len(busyAfter) == 0 {
			return found.drift, s.correct(ctx, clinicID, found)
		}
	}
	return Count{}, errBusy
}

// Refresh is Recount for a caller who waits: it returns nil also if the clinic changes all the time, and then the background
// goes on.
func (s *Service) Refresh(ctx context.Context, clinicID bson.ObjectID) error {
	drift, err := s.Recount(ctx, clinicID)
	s.report(reasonAsked, clinicID, drift, err)
	if errors.Is(err, errBusy) {
		return s.askForRecount(ctx, clinicID)
	}
	return err
}

func (s *Service) report(reason string, clinicID bson.ObjectID, drift Count, err error) {
	s.tallies.recounted(reason, drift, err)
	if err == nil && !drift.IsZero() {
		s.log.Info("a recount mended the numbers of a clinic", zap.Stringer("clinicId", clinicID), zap.Int("total", drift.Total), zap.Int("plan", drift.Plan))
	}
}

// countPatients counts the patients of the clinic one by one. It reads all of them.
func (s *Service) countPatients(ctx context.Context, clinicID bson.ObjectID) (Count, error) {
	cursor, err := s.patients.Find(ctx, bson.D{{Key: "clinicId", Value: clinicID}}, options.Find().SetProjection(factFields).SetBatchSize(countBatch))
	var total Count
	for patient, err := range store.Documents[storedFacts](ctx, cursor, err) {
		if err != nil {
			return Count{}, err
		}
		total.add(s.Of(patient.facts()))
	}
	return total.Plus(Count{}), nil
}

// RecountAfter does work that changes many patients of a clinic in many steps, and recounts the clinic, and the others, when it
// ends. If the process dies in between, the background recounts the clinic. The error is that of the work.
func (s *Service) RecountAfter(ctx context.Context, work func(ctx context.Context) error, clinicID bson.ObjectID, others ...bson.ObjectID) error {
	change, err := s.leaveNote(ctx, clinicID, 0)
	if err != nil {
		return err
	}
	workErr := work(ctx)
	if errs.Is(workErr, errs.Internal) {
		return workErr // whether it goes on, and where, is not known: the note stays
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*countTime)
	defer cancel()
	err = s.removeNote(ctx, change)
	for _, id := range append(others, clinicID) {
		if failed := s.Refresh(ctx, id); failed != nil && !errors.Is(failed, ErrNoClinic) {
			err = errorOf(err, failed, s.askForRecount(ctx, id))
		}
	}
	if err != nil { // COMPAT: the work does not fail because its patients could not be counted
		s.warn("the patients of a clinic are counted later", clinicID, err)
	}
	return workErr
}
