package census

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/store"
)

const (
	// countTime bounds the counting of the patients of one clinic.
	countTime = 30 * time.Second
	// A recount without transactions looks so often, with a pause in between, for a moment without changes.
	quietAttempts = 10
	quietPause    = 20 * time.Millisecond
)

// errBusy tells that a recount without transactions found no moment at which nobody changed the clinic, or that another recount
// came first.
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
	left    []note     // notes that were left behind: what they reserved is part of the drift
	unknown bson.D     // what is stored for tags and sites that the clinic does not have
	time    *time.Time // of the recount before, nil if there was none
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
	known, err := s.Look(ctx, []bson.ObjectID{clinicID})
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
		found.unknown, found.time = strangers(groups.groups(), stored.Groups), groups.CountedTime
	}
	counted.Groups = clinic.own(counted.Groups)
	counted = counted.bounded(stored)
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

// correct stores the result of a comparison, or returns errBusy if another recount came first: adding the drift twice would
// be as wrong as not at all. A process that dies in between leaves the notes, which lead to the next recount.
func (s *Service) correct(ctx context.Context, clinicID bson.ObjectID, found comparison) error {
	if err := s.claim(ctx, clinicID, found); err != nil {
		return err
	}
	if found.replaces {
		if err := s.replaceOldForm(ctx, clinicID, found); err != nil {
			return err
		}
		found.drift = Count{Groups: found.drift.Groups}
	}
	if err := s.add(ctx, clinicID, found.drift, terms{}); err != nil {
		return err
	}
	return s.removeNotes(ctx, found.left)
}

// claim stores the time of the recount in place of that of the one before.
func (s *Service) claim(ctx context.Context, clinicID bson.ObjectID, found comparison) error {
	now := store.Now()
	if found.time != nil && !now.After(*found.time) {
		now = found.time.Add(time.Millisecond)
	}
	update := bson.D{{Key: "$set", Value: bson.D{{Key: "countedTime", Value: now}}}}
	if len(found.unknown) > 0 {
		update = append(update, bson.E{Key: "$unset", Value: found.unknown})
	}
	result, err := s.census.UpdateOne(ctx, bson.D{{Key: "_id", Value: clinicID}, {Key: "countedTime", Value: found.time}}, update,
		options.UpdateOne().SetUpsert(found.time == nil))
	if store.IsDuplicate(err) || (err == nil && result.MatchedCount+result.UpsertedCount == 0) {
		return errBusy
	}
	return err
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
//
// The order of the reads matters: a change leaves its note first, then writes, counts, and removes the note in the end.
func (s *Service) recountQuietly(ctx context.Context, clinicID bson.ObjectID) (Count, error) {
	for range quietAttempts {
		before, err := s.Changes(ctx, clinicID)
		if err != nil {
			return Count{}, err
		}
		_, busy, err := s.notesOf(ctx, clinicID)
		if err != nil {
			return Count{}, err
		}
		if len(busy) > 0 {
			if err := pauseFor(ctx, quietPause); err != nil {
				return Count{}, err
			}
			continue
		}
		found, err := s.read(ctx, clinicID)
		if err != nil {
			return Count{}, err
		}
		if _, busy, err = s.notesOf(ctx, clinicID); err != nil {
			return Count{}, err
		}
		after, err := s.Changes(ctx, clinicID)
		if err != nil {
			return Count{}, err
		}
		if before == after && len(busy) == 0 {
			return found.drift, s.correctNoted(ctx, clinicID, found)
		}
	}
	return Count{}, errBusy
}

// pauseFor waits, but no longer than the context lasts.
func pauseFor(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// correctNoted is correct without transactions. The note keeps other recounts from seeing half of it.
func (s *Service) correctNoted(ctx context.Context, clinicID bson.ObjectID, found comparison) error {
	change, err := s.leaveNote(ctx, clinicID, 0)
	if err != nil {
		return err
	}
	err = s.correct(ctx, clinicID, found)
	if err == nil || errors.Is(err, errBusy) {
		err = errorOf(err, s.removeNote(ctx, change))
	}
	return err
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
