package merge

import (
	"bytes"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// workspace returns the clinic without its people, or clinics.ErrNotFound.
func (s *Service) workspace(ctx context.Context, id bson.ObjectID) (*Workspace, error) {
	document, err := s.clinics.FindOne(ctx, byID(id)).Raw()
	if err != nil {
		return nil, store.OneOf(err, clinics.ErrNotFound, nil)
	}
	var clinic clinics.Clinic
	if err := s.database.Unmarshal(document, &clinic); err != nil {
		return nil, err
	}
	return &Workspace{Clinic: &clinic, Document: document}, s.counts.FillGroups(ctx, &clinic)
}

// people adds members and patients. They are sorted here: the database would have to hold the whole documents for it. A cursor
// may return a document twice that somebody writes meanwhile; one that it misses is found when all steps are done.
func (s *Service) people(ctx context.Context, w *Workspace) error {
	members, err := s.readMembers(ctx, w.Clinic.ID)
	if err != nil {
		return err
	}
	slices.SortFunc(members, func(a, b Member) int {
		if order := b.CreatedTime.Compare(a.CreatedTime); order != 0 {
			return order
		}
		return bytes.Compare(b.ID[:], a.ID[:])
	})
	w.Members = slices.CompactFunc(members, func(a, b Member) bool { return a.ID == b.ID })
	found, err := s.readPatients(ctx, w.Clinic.ID)
	slices.SortFunc(found, func(a, b Patient) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	w.Patients = slices.CompactFunc(found, func(a, b Patient) bool { return a.ID == b.ID })
	return err
}

func (s *Service) readMembers(ctx context.Context, clinicID bson.ObjectID) ([]Member, error) {
	cursor, err := s.members.Find(ctx, ofClinic(clinicID))
	if err != nil {
		return nil, err
	}
	var documents []bson.Raw
	if err := cursor.All(ctx, &documents); err != nil {
		return nil, err
	}
	members := make([]Member, len(documents))
	for i, document := range documents {
		members[i].Document = document
		if err := s.database.Unmarshal(document, &members[i].Clinician); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// patientFields are what NewPatient reads.
var patientFields = bson.D{
	{Key: "userId", Value: 1}, {Key: "fullName", Value: 1}, {Key: "birthDate", Value: 1}, {Key: "mrn", Value: 1},
	{Key: "permissions.custodian", Value: 1}, {Key: "tags", Value: 1}, {Key: "sites.id", Value: 1}, {Key: "sites.name", Value: 1},
	{Key: "summary.cgmStats.dates.lastUploadDate", Value: 1}, {Key: "summary.bgmStats.dates.lastUploadDate", Value: 1},
}

// readBatch is how many patients come with one answer of the database.
const readBatch = 1000

func (s *Service) readPatients(ctx context.Context, clinicID bson.ObjectID) ([]Patient, error) {
	cursor, err := s.patients.Find(ctx, s.realPatients(clinicID), options.Find().SetProjection(patientFields).SetBatchSize(readBatch))
	if err != nil {
		return nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	var found []Patient
	for cursor.Next(ctx) {
		var stored patients.Patient
		if err := cursor.Decode(&stored); err != nil {
			return nil, err
		}
		found = append(found, NewPatient(&stored))
	}
	return found, cursor.Err()
}

// realPatients matches the patients of the clinic without the demo patient, whom a merge leaves out.
func (s *Service) realPatients(clinicID bson.ObjectID) bson.D {
	filter := ofClinic(clinicID)
	if s.demoUserID != "" {
		filter = append(filter, bson.E{Key: "userId", Value: bson.D{{Key: "$ne", Value: s.demoUserID}}})
	}
	return filter
}

// storedPatients returns patients by their ids without what plan documents leave out. COMPAT: a reader of the plan
// documents stops at summaries.
func (s *Service) storedPatients(ctx context.Context, ids []bson.ObjectID) (map[bson.ObjectID]bson.Raw, error) {
	stored := make(map[bson.ObjectID]bson.Raw, len(ids))
	cursor, err := s.patients.Find(ctx, oneOf(ids), options.Find().SetProjection(bson.D{{Key: "summary", Value: 0}, {Key: "derived", Value: 0}}).SetBatchSize(readBatch))
	if err != nil {
		return nil, err
	}
	var documents []bson.Raw
	if err := cursor.All(ctx, &documents); err != nil {
		return nil, err
	}
	for _, document := range documents {
		stored[document.Lookup("_id").ObjectID()] = document
	}
	return stored, nil
}

// clinicsByRecord returns the clinic that each of the documents, by its id, belongs to now.
func clinicsByRecord(ctx context.Context, collection *mongo.Collection, ids []bson.ObjectID) (map[bson.ObjectID]bson.ObjectID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cursor, err := collection.Find(ctx, oneOf(ids), options.Find().SetProjection(bson.D{{Key: "clinicId", Value: 1}}).SetBatchSize(readBatch))
	if err != nil {
		return nil, err
	}
	var documents []struct {
		ID       bson.ObjectID `bson:"_id"`
		ClinicID bson.ObjectID `bson:"clinicId"`
	}
	if err := cursor.All(ctx, &documents); err != nil {
		return nil, err
	}
	owners := make(map[bson.ObjectID]bson.ObjectID, len(documents))
	for _, document := range documents {
		owners[document.ID] = document.ClinicID
	}
	return owners, nil
}

func byID(id bson.ObjectID) bson.D { return bson.D{{Key: "_id", Value: id}} }

func ofClinic(id bson.ObjectID) bson.D { return bson.D{{Key: "clinicId", Value: id}} }

func oneOf(ids []bson.ObjectID) bson.D {
	if ids == nil {
		ids = []bson.ObjectID{}
	}
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
}
