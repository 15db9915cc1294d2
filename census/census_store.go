package census

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

const (
	// CollectionName is the collection of the numbers by tag and site. No other service reads it.
	CollectionName = "patient_census"
	// clinicCollection and patientCollection belong to packages that stand above this one.
	clinicCollection  = "clinics"
	patientCollection = "patients"
)

// Indexes returns the indexes of the collections of this package.
func Indexes() []store.Indexes {
	return []store.Indexes{{Collection: NotesCollectionName, Indexes: []store.Index{
		{Name: "CensusChangesByClinic", Keys: store.Ascending("clinicId", "time")},
		{Name: "CensusChangesByTime", Keys: store.Ascending("time")},
	}}}
}

// document holds what the census knows of a clinic beside its patientCount.
type document struct {
	ID    bson.ObjectID         `bson:"_id"`
	Tags  map[bson.ObjectID]int `bson:"tags,omitempty"`
	Sites map[bson.ObjectID]int `bson:"sites,omitempty"`
	// Changes grows with every change of a number.
	Changes int64 `bson:"changes"`
	// CountedTime is when the patients were last counted one by one, nil if they never were. Until then the numbers are only
	// what was added since this service knows the clinic.
	CountedTime *time.Time `bson:"countedTime,omitempty"`
	// ClosedUntil is the time, by the clock of the database, until which the clinic takes no patients.
	ClosedUntil *time.Time `bson:"closedUntil,omitempty"`
}

func (d *document) isCounted() bool { return d.CountedTime != nil }

func (d *document) isClosed(now time.Time) bool {
	return d.ClosedUntil != nil && d.ClosedUntil.After(now)
}

func (d *document) groups() Groups { return Groups{Tags: d.Tags, Sites: d.Sites} }

// counted is the part of a clinic that the census reads.
type countedClinic struct {
	PatientCount *PatientCount `bson:"patientCount"`
	PatientTags  []struct {
		ID bson.ObjectID `bson:"_id"`
	} `bson:"patientTags"`
	Sites []struct {
		ID bson.ObjectID `bson:"id"`
	} `bson:"sites"`
	stored bson.RawValue // patientCount as it is stored
}

// hasCount reports whether the clinic holds a number that a difference can be added to.
func (c *countedClinic) hasCount() bool {
	return c.PatientCount != nil && c.PatientCount.LegacyPatientCount == nil
}

// own returns the entries for tags and sites that the clinic has.
func (c *countedClinic) own(groups Groups) Groups {
	var own Groups
	for _, tag := range c.PatientTags {
		if n, ok := groups.Tags[tag.ID]; ok {
			own.Tags = addTo(own.Tags, map[bson.ObjectID]int{tag.ID: n})
		}
	}
	for _, site := range c.Sites {
		if n, ok := groups.Sites[site.ID]; ok {
			own.Sites = addTo(own.Sites, map[bson.ObjectID]int{site.ID: n})
		}
	}
	return own
}

var countedFields = bson.D{{Key: "patientCount", Value: 1}, {Key: "patientTags._id", Value: 1}, {Key: "sites.id", Value: 1}}

// readClinic returns ErrNoClinic if there is no such clinic.
func (s *Service) readClinic(ctx context.Context, clinicID bson.ObjectID) (*countedClinic, error) {
	raw, err := s.clinics.FindOne(ctx, bson.D{{Key: "_id", Value: clinicID}}, options.FindOne().SetProjection(countedFields)).Raw()
	if err != nil {
		return nil, store.OneOf(err, ErrNoClinic, nil)
	}
	var clinic countedClinic
	if err := s.database.Unmarshal(raw, &clinic); err != nil {
		return nil, err
	}
	clinic.stored = raw.Lookup("patientCount")
	return &clinic, nil
}

// Stored is what is stored about the numbers of clinics.
type Stored map[bson.ObjectID]*document

// Look reads what is stored about the clinics.
func (s *Service) Look(ctx context.Context, clinicIDs []bson.ObjectID) (Stored, error) {
	documents, err := s.lookup.Documents(ctx, clinicIDs...)
	found := make(Stored, len(documents))
	for _, stored := range documents {
		var counted document
		if err := s.database.Unmarshal(stored, &counted); err != nil {
			return nil, err
		}
		found[counted.ID] = &counted
	}
	return found, err
}

// Changes returns a number that grows with every change of the numbers of the clinic that this service makes.
func (s *Service) Changes(ctx context.Context, clinicID bson.ObjectID) (int64, error) {
	var found document
	err := s.census.FindOne(ctx, bson.D{{Key: "_id", Value: clinicID}}, options.FindOne().SetProjection(bson.D{{Key: "changes", Value: 1}})).Decode(&found)
	if store.IsNotFound(err) {
		return 0, nil
	}
	return found.Changes, err
}

// terms are what has to hold for a difference to be added.
type terms struct {
	newPatient bool // the clinic must exist, and take patients
	plan       *int // how many patients may count against the limit before it; nil: any number
}

var errTooManyChanges = errors.New("the numbers of the clinic change too often")

// attempts bounds how often a change of a number is tried again because another one came first.
const attempts = 50

// add adds a difference to the numbers of the clinic, or returns ErrLimitReached, ErrNoClinic or ErrClosed if the terms do not
// hold. What else is counted of a clinic that is gone does not matter any more.
//
// For a new patient it first writes what Close and Forget write too, and then looks whether the clinic is there: so a
// transaction that removes the clinic conflicts with this one, and without transactions one of the two sees the other.
func (s *Service) add(ctx context.Context, clinicID bson.ObjectID, difference Count, t terms) error {
	if difference.IsZero() && !t.newPatient {
		return nil
	}
	clinic, err := s.readClinic(ctx, clinicID)
	if err == nil {
		if err = s.addGroups(ctx, clinicID, clinic.own(difference.Groups), t.newPatient); err != nil {
			return err
		}
		err = s.addPatientCount(ctx, clinicID, difference, t)
	}
	if errors.Is(err, ErrNoClinic) && !t.newPatient {
		return nil
	}
	return err
}

// addPatientCount adds to the number in the clinic document. If another change comes first, it reads the number again.
func (s *Service) addPatientCount(ctx context.Context, clinicID bson.ObjectID, difference Count, t terms) error {
	if difference.isPatientCountZero() && !t.newPatient {
		return nil
	}
	for range attempts {
		clinic, err := s.readClinic(ctx, clinicID)
		if err != nil {
			return err
		}
		if t.plan != nil && (!clinic.hasCount() || clinic.PatientCount.Plan >= *t.plan) {
			return ErrLimitReached
		}
		if done, err := s.replacePatientCount(ctx, clinicID, clinic, difference); done || err != nil {
			return err
		}
	}
	return errTooManyChanges
}

// replacePatientCount stores the number with the difference, if it is as it was read, and reports whether it was. A number
// that is missing, or in an older form, is left to a recount.
//
// COMPAT: the whole of patientCount is set, as the reference does, so that events name it as a whole.
func (s *Service) replacePatientCount(ctx context.Context, clinicID bson.ObjectID, clinic *countedClinic, difference Count) (bool, error) {
	if difference.isPatientCountZero() {
		return true, nil
	}
	if !clinic.hasCount() {
		s.background.want(clinicID, reasonMissing)
		return true, nil
	}
	before := clinic.PatientCount.count()
	result, err := s.clinics.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: clinicID}, {Key: "patientCount", Value: clinic.stored}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "patientCount", Value: before.Plus(difference).bounded(before).PatientCount()}}}})
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

// addGroups adds the part of a difference that is about tags and sites that the clinic has.
func (s *Service) addGroups(ctx context.Context, clinicID bson.ObjectID, groups Groups, newPatient bool) error {
	increments := bson.D{{Key: "changes", Value: int64(1)}}
	for id, n := range groups.Tags {
		increments = append(increments, bson.E{Key: "tags." + id.Hex(), Value: n})
	}
	for id, n := range groups.Sites {
		increments = append(increments, bson.E{Key: "sites." + id.Hex(), Value: n})
	}
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return err
	}
	filter := bson.D{{Key: "_id", Value: clinicID}}
	if newPatient {
		filter = append(filter, bson.E{Key: "closedUntil", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$gt", Value: now}}}}})
	}
	update := bson.D{{Key: "$inc", Value: increments}}
	for range attempts {
		result, err := s.census.UpdateOne(ctx, filter, update)
		if err != nil || result.MatchedCount == 1 {
			return err
		}
		known, err := s.Look(ctx, []bson.ObjectID{clinicID})
		if err != nil {
			return err
		}
		if found, ok := known[clinicID]; ok && newPatient && found.isClosed(now) {
			return ErrClosed
		}
		_, err = s.census.UpdateOne(ctx, filter, update, options.UpdateOne().SetUpsert(true))
		if !store.IsDuplicate(err) { // otherwise another change made the document first
			return err
		}
		if s.database.HasTransactions() {
			break // the duplicate ended the transaction
		}
	}
	return errTooManyChanges
}

// Touch makes a transaction conflict with all others that add patients to the clinic or touch it.
func (s *Service) Touch(ctx context.Context, clinicID bson.ObjectID) error {
	return s.addGroups(ctx, clinicID, Groups{}, false)
}

// ForgetGroup removes the number of a tag or site that the clinic does not have any more.
func (s *Service) ForgetGroup(ctx context.Context, clinicID, id bson.ObjectID) error {
	_, err := s.census.UpdateOne(ctx, bson.D{{Key: "_id", Value: clinicID}},
		bson.D{{Key: "$unset", Value: bson.D{{Key: "tags." + id.Hex(), Value: ""}, {Key: "sites." + id.Hex(), Value: ""}}}})
	return err
}
