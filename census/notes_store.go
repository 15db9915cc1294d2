package census

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// NotesCollectionName is the collection of notes about changes that are under way. No other service reads it.
const NotesCollectionName = "census_changes"

// patience is how old, by the clock of the database, a note must be to count as left behind. A change ends long before that.
const patience = time.Minute

// note says that a change of the numbers of a clinic is under way. One that was left behind asks for a recount.
type note struct {
	ID       bson.ObjectID `bson:"_id"`
	ClinicID bson.ObjectID `bson:"clinicId"`
	Time     time.Time     `bson:"time"`
	// Reserved is how many patients were counted before they were made, against the limit and in all.
	Reserved int `bson:"reserved,omitempty"`
}

// reserved returns what was counted before the patient was made.
func (n note) reserved() Count { return Count{Total: n.Reserved, Plan: n.Reserved} }

func (s *Service) leaveNote(ctx context.Context, clinicID bson.ObjectID, reserved int) (note, error) {
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return note{}, err
	}
	left := note{ID: bson.NewObjectID(), ClinicID: clinicID, Time: now, Reserved: reserved}
	_, err = s.notes.InsertOne(ctx, left)
	return left, err
}

// renewNote gives a note of now, which a recount may have removed, to a change that takes long.
func (s *Service) renewNote(ctx context.Context, left note) error {
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return err
	}
	return s.putNote(ctx, left, now)
}

// ageNote makes a note count as left behind, so that it asks for a recount.
func (s *Service) ageNote(ctx context.Context, left note) error {
	return s.putNote(ctx, left, time.Unix(0, 0))
}

// putNote stores a note with another time, whether it is still there or not.
func (s *Service) putNote(ctx context.Context, left note, at time.Time) error {
	left.Time = at
	_, err := s.notes.ReplaceOne(ctx, bson.D{{Key: "_id", Value: left.ID}}, left, options.Replace().SetUpsert(true))
	return err
}

func (s *Service) removeNote(ctx context.Context, left note) error {
	_, err := s.takeNote(ctx, left)
	return err
}

// takeNote removes the note and reports whether it was there.
func (s *Service) takeNote(ctx context.Context, left note) (bool, error) {
	result, err := s.notes.DeleteOne(ctx, bson.D{{Key: "_id", Value: left.ID}})
	if err != nil {
		return false, err
	}
	return result.DeletedCount == 1, nil
}

// askForRecount leaves a note that is old already.
func (s *Service) askForRecount(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := s.notes.InsertOne(ctx, note{ID: bson.NewObjectID(), ClinicID: clinicID, Time: time.Unix(0, 0)})
	return err
}

// notesOf returns the notes about changes of a clinic: those that were left behind, and those of changes under way.
func (s *Service) notesOf(ctx context.Context, clinicID bson.ObjectID) (left, underWay []note, err error) {
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return nil, nil, err
	}
	cursor, err := s.notes.Find(ctx, bson.D{{Key: "clinicId", Value: clinicID}})
	if err != nil {
		return nil, nil, err
	}
	var all []note
	if err := cursor.All(ctx, &all); err != nil {
		return nil, nil, err
	}
	for _, n := range all {
		if now.Sub(n.Time) > patience {
			left = append(left, n)
		} else {
			underWay = append(underWay, n)
		}
	}
	return left, underWay, nil
}

// removeNotes removes notes that were left behind. It returns errBusy if one is gone: then its process is alive after all.
func (s *Service) removeNotes(ctx context.Context, notes []note) error {
	if len(notes) == 0 {
		return nil
	}
	ids := make(bson.A, 0, len(notes))
	for _, n := range notes {
		ids = append(ids, n.ID)
	}
	result, err := s.notes.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
	if err == nil && int(result.DeletedCount) < len(notes) {
		err = errBusy
	}
	return err
}

// clinicsLeft returns the clinics with notes that were left behind.
func (s *Service) clinicsLeft(ctx context.Context) ([]bson.ObjectID, error) {
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return nil, err
	}
	var ids []bson.ObjectID
	err = s.notes.Distinct(ctx, "clinicId", bson.D{{Key: "time", Value: bson.D{{Key: "$lt", Value: now.Add(-patience)}}}}).Decode(&ids)
	return ids, err
}
