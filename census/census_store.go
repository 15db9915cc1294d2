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
	if err := bson.Unmarshal(raw, &clinic); err != nil {
		return nil, err
	}
	clinic.stored = raw.Lookup("patientCount")
	return &clinic, nil
}

func (s *Service) readGroups(ctx context.Context, clinicIDs []bson.ObjectID) (map[bson.ObjectID]*document, error) {
	found := make(map[bson.ObjectID]*document, len(clinicIDs))
	if len(clinicIDs) == 0 {
		return found, nil
	}
	cursor, err := s.census.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: clinicIDs}}}})
	for counted, err := range store.Documents[document](ctx, cursor, err) {
		if err != nil {
			return nil, err
		}
		found[counted.ID] = &counted
	}
	return found, nil
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
// For a new patient it writes in any case, so that a transaction that removes the clinic conflicts with this one.
func (s *Service) add(ctx context.Context, clinicID bson.ObjectID, difference Count, t terms) error {
	if difference.IsZero() && !t.newPatient {
		return nil
	}
	for range attempts {
		clinic, err := s.readClinic(ctx, clinicID)
		if errors.Is(err, ErrNoClinic) && !t.newPatient {
			return nil
		}
		if err != nil {
			return err
		}
		if t.plan != nil && clinic.PatientCount != nil && clinic.PatientCount.Plan >= *t.plan {
			return ErrLimitReached
		}
		done, err := s.replacePatientCount(ctx, clinicID, clinic, difference)
		if err != nil {
			return err
		}
		if done {
			return s.addGroups(ctx, clinicID, clinic.own(difference.Groups), t.newPatient)
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
	result, err := s.clinics.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: clinicID}, {Key: "patientCount", Value: clinic.stored}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "patientCount", Value: clinic.PatientCount.count().Plus(difference).PatientCount()}}}})
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

func (s *Service) addGroups(ctx context.Context, clinicID bson.ObjectID, groups Groups, newPatient bool) error {
	increments := bson.D{{Key: "changes", Value: int64(1)}}
	for id, n := range groups.Tags {
		increments = append(increments, bson.E{Key: "tags." + id.Hex(), Value: n})
	}
	for id, n := range groups.Sites {
		increments = append(increments, bson.E{Key: "sites." + id.Hex(), Value: n})
	}
	filter := bson.D{{Key: "_id", Value: clinicID}}
	update := bson.D{{Key: "$inc", Value: increments}}
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return err
	}
	if newPatient {
		filter = append(filter, bson.E{Key: "closedUntil", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$gt", Value: now}}}}})
	}
	for range attempts {
		result, err := s.census.UpdateOne(ctx, filter, update)
		if err != nil || result.MatchedCount == 1 {
			return err
		}
		known, err := s.readGroups(ctx, []bson.ObjectID{clinicID})
		if err != nil {
			return err
		}
		if found, ok := known[clinicID]; ok {
			if found.ClosedUntil != nil && found.ClosedUntil.After(now) {
				return ErrClosed
			}
			continue // another change made it in between
		}
		_, err = s.census.UpdateOne(ctx, bson.D{{Key: "_id", Value: clinicID}}, update, options.UpdateOne().SetUpsert(true))
		if !store.IsDuplicate(err) { // otherwise another change made the document first
			return err
		}
	}
	return errTooManyChanges
}

// Close makes the clinic take no patients for a while, or until Open is called. Those that it has can still change and go.
// Whoever removes a clinic closes it first, and then looks whether it has patients: a patient who comes at the same time is
// then either seen, or taken out again.
func (s *Service) Close(ctx context.Context, clinicID bson.ObjectID, while time.Duration) error {
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return err
	}
	_, err = s.census.UpdateOne(ctx, bson.D{{Key: "_id", Value: clinicID}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "closedUntil", Value: now.Add(while)}}}, {Key: "$inc", Value: bson.D{{Key: "changes", Value: int64(1)}}}},
		options.UpdateOne().SetUpsert(true))
	return err
}

// Open undoes Close.
func (s *Service) Open(ctx context.Context, clinicID bson.ObjectID) error {
	_, err := s.census.UpdateOne(ctx, bson.D{{Key: "_id", Value: clinicID}}, bson.D{{Key: "$unset", Value: bson.D{{Key: "closedUntil", Value: ""}}}})
	return err
}
