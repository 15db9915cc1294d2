package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/store"
)

// ReplaceDataSources sets the data sources of a user in all clinics. Nil counts as empty, and a user who is nobody's patient
// is no error. After an error some clinics may have been reached; a repeat completes the change.
func (s *Service) ReplaceDataSources(ctx context.Context, userID string, sources []DataSource) error {
	if sources == nil {
		sources = []DataSource{}
	}
	update := bson.D{{Key: "$set", Value: bson.D{
		{Key: "dataSources", Value: sources},
		{Key: "updatedTime", Value: store.Now()},
	}}}
	ofUser := bson.D{{Key: "userId", Value: userID}}
	if userID == s.demoUserID { // its data sources are not counted, and it may be in every clinic
		_, err := s.collection.UpdateMany(ctx, ofUser, update)
		return err
	}
	clinicIDs, err := s.clinicsOf(ctx, userID)
	if err != nil {
		return err
	}
	for _, clinicID := range clinicIDs {
		if err := s.replaceDataSources(ctx, patientKey(clinicID, userID), clinicID, update, &Patient{DataSources: &sources}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) replaceDataSources(ctx context.Context, key bson.D, clinicID bson.ObjectID, update bson.D, after *Patient) error {
	return s.census.Change(ctx, clinicID, func(ctx context.Context) (census.Count, error) {
		var before Patient
		err := s.collection.FindOneAndUpdate(ctx, key, update, options.FindOneAndUpdate().SetProjection(censusFields)).Decode(&before)
		if store.IsNotFound(err) { // the patient was removed since the clinics were read
			return census.Count{}, nil
		}
		if err != nil {
			return census.Count{}, err
		}
		return s.difference(&before, after), nil
	})
}

// clinicsOf returns the clinics that the user is a patient of.
func (s *Service) clinicsOf(ctx context.Context, userID string) ([]bson.ObjectID, error) {
	cursor, err := s.collection.Find(ctx, bson.D{{Key: "userId", Value: userID}}, options.Find().SetProjection(bson.D{{Key: "clinicId", Value: 1}}))
	if err != nil {
		return nil, err
	}
	var records []struct {
		ClinicID bson.ObjectID `bson:"clinicId"`
	}
	if err := cursor.All(ctx, &records); err != nil {
		return nil, err
	}
	ids := make([]bson.ObjectID, 0, len(records))
	for _, record := range records {
		ids = append(ids, record.ClinicID)
	}
	return ids, nil
}
