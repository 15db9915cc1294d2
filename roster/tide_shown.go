package roster

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/patients"
)

// tideShown is what a report shows of the period.
var tideShown = []string{
	"averageGlucoseMmol", "glucoseManagementIndicator", "timeCGMUseMinutes", "timeCGMUsePercent", "timeInVeryLowPercent", "timeInLowPercent",
	"timeInAnyLowPercent", "timeInTargetPercent", "timeInTargetPercentDelta", "timeInHighPercent", "timeInVeryHighPercent",
	"timeInExtremeHighPercent", "timeInAnyHighPercent",
}

// showTide reads what a report shows of the chosen patients, and returns who of them is not in the clinic any more.
func (s *Service) showTide(ctx context.Context, query TideQuery, chosen map[string][]bson.ObjectID, report TideReport) (gone []bson.ObjectID, err error) {
	ids := bson.A{}
	for name, members := range chosen {
		report[name] = make([]*patients.Patient, 0, len(members))
		for _, id := range members {
			ids = append(ids, id)
		}
	}
	shown := map[bson.ObjectID]*patients.Patient{}
	if len(ids) > 0 {
		list, err := s.tidePatients(ctx, query, bson.D{
			{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}, {Key: "clinicId", Value: query.ClinicID},
		}, options.Find().SetBatchSize(rowBatch), "_id_")
		if err != nil {
			return nil, err
		}
		for _, patient := range list {
			shown[patient.ID] = patient
		}
	}
	for name, members := range chosen {
		for _, id := range members {
			if patient, ok := shown[id]; ok {
				report[name] = append(report[name], patient)
			} else {
				gone = append(gone, id)
			}
		}
	}
	return gone, nil
}

// tidePatients reads what a report shows.
func (s *Service) tidePatients(ctx context.Context, query TideQuery, filter bson.D, find *options.FindOptionsBuilder, index string) ([]*patients.Patient, error) {
	projection := bson.D{{Key: cgmLastData, Value: 1}}
	for _, path := range []string{"userId", "fullName", "email", "tags", "reviews", "dataSources"} {
		projection = append(projection, bson.E{Key: path, Value: 1})
	}
	for _, name := range tideShown {
		projection = append(projection, bson.E{Key: query.periodPath() + "." + name, Value: 1})
	}
	cursor, err := s.find(ctx, filter, find.SetProjection(projection), index)
	if err != nil {
		return nil, err
	}
	found := []*patients.Patient{}
	return found, cursor.All(ctx, &found)
}
