package roster_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/summary"
)

func (s *pagesStage) records() *mongo.Collection { return s.store.Collection(patients.CollectionName) }

// recount writes how many patients the clinic has, as every writer does that adds or removes some.
func (s *pagesStage) recount(t *testing.T) {
	t.Helper()
	n, err := s.records().CountDocuments(t.Context(), bson.D{{Key: "clinicId", Value: s.clinicID}})
	require.NoError(t, err)
	_, err = s.store.Collection(clinics.CollectionName).UpdateByID(t.Context(), s.clinicID, bson.D{
		{Key: "$set", Value: bson.D{{Key: "patientCount.total", Value: n}, {Key: "updatedTime", Value: store.Now()}}},
	})
	require.NoError(t, err)
}

// moreNames need care from whoever compares names.
var moreNames = append([]any{"O'Brien", "OBrien", "o brien", "Joanna Smith-Jones", "Jo Smith", "Łódź", "lodz", "Øre", "ore", "ſam", "sam", "\u212Aim", "kim", "ΣΑΣ", "σας", "İz", "ız", "straße", "STRASSE", "a\u0301dam", 17, "zzz"}, names...)

// newRecord is a patient with odd values here and there.
func (s *pagesStage) newRecord(random *rand.Rand) bson.M {
	s2 := &stage{clinicID: s.clinicID}
	record := s2.patient(random, random.IntN(len(names)))
	record["_id"], record["userId"] = bson.NewObjectID(), fmt.Sprintf("%010x", random.Uint64()>>24)
	record["fullName"], record["updatedTime"] = choose(random, moreNames...), store.Now()
	if random.IntN(4) == 0 {
		record["_id"] = bson.ObjectID{byte(random.IntN(256)), 1, byte(random.IntN(256)), byte(random.IntN(256)), 5: byte(random.IntN(256))}
	}
	if made, ok := record["summary"].(bson.M); ok {
		s.spoil(random, made)
	}
	record["dataSources"] = choose[any](random, nil, bson.A{bson.M{"providerName": "dexcom", "state": choose(random, "error", "connected")}})
	return record
}

// removable is the id of halves of summaries that are removed: only of those with last data is it noticed when nothing tells of it.
const removable = "a"

// spoil stores values of another type than the service would.
func (s *pagesStage) spoil(random *rand.Rand, made bson.M) {
	for _, half := range made {
		stats, _ := half.(bson.M)
		periods, _ := stats["periods"].(bson.M)
		for _, period := range periods {
			if values, ok := period.(bson.M); ok && random.IntN(4) == 0 {
				values["timeInTargetPercent"] = choose[any](random, "0.5", true)
				values["timeInLowPercent"] = choose[any](random, "0.5", bson.A{0.25, 7}, bson.M{"a": 1}, nil)
				values["standardDeviation"] = choose[any](random, bson.A{}, bson.A{bson.A{0.25}}, int64(3))
			}
		}
		if random.IntN(5) == 0 { // null beside a flag that says true has another place in an index of the engine for development than in a sort
			stats["dates"] = choose[any](random, nil, bson.M{"lastData": nil, "hasLastData": false}, bson.M{"hasLastData": "yes"})
		}
		if at(stats, "dates.hasLastData") == true {
			stats["id"] = removable
		}
	}
}

// someone returns a patient of the clinic, or of the other.
func (s *pagesStage) someone(t *testing.T, random *rand.Rand, clinicID bson.ObjectID) (bson.M, bool) {
	cursor, err := s.records().Find(t.Context(), bson.D{{Key: "clinicId", Value: clinicID}}, options.Find().SetProjection(store.Ascending("userId", "summary.cgmStats.id")))
	if err != nil {
		return nil, false
	}
	var all []bson.M
	if err := cursor.All(t.Context(), &all); err != nil || len(all) == 0 {
		return nil, false
	}
	return choose(random, all...), true
}

// write does what one of the writers does: this service, another replica, which writes the same, or an older one.
func (s *pagesStage) write(t *testing.T, random *rand.Rand) error {
	t.Helper()
	someone, ok := s.someone(t, random, s.clinicID)
	if !ok || random.IntN(6) == 0 {
		_, err := s.records().InsertOne(t.Context(), s.newRecord(random))
		return err
	}
	if random.IntN(2) == 0 {
		return s.writeAsService(t, random, someone["userId"].(string))
	}
	return s.writeAsOlder(t, random, someone)
}

func (s *pagesStage) writeAsService(t *testing.T, random *rand.Rand, userID string) error {
	ctx := t.Context()
	who := choose(random, patients.Only([]string{userID}), patients.Everyone())
	switch random.IntN(7) {
	case 0:
		return s.patients.AssignTag(ctx, s.clinicID, choose(random, tagA, tagB), who)
	case 1:
		return s.patients.RemoveTag(ctx, s.clinicID, choose(random, tagA, tagB), who)
	case 2:
		_, err := s.patients.Review(ctx, s.clinicID, userID, "c")
		return err
	case 3:
		return ignoreGone(s.patients.Remove(ctx, s.clinicID, userID, nil))
	case 4:
		return s.patients.ReplaceDataSources(ctx, userID, []patients.DataSource{{ProviderName: "dexcom", State: choose(random, "error", "connected")}})
	case 5:
		_, err := s.patients.RemoveSummary(ctx, choose(random, removable, "y"))
		return err
	default:
		id, at, value := choose(random, removable, "y"), someTime.Add(time.Duration(random.IntN(3))*time.Hour), random.Float64()
		_, err := s.patients.SetSummary(ctx, userID, &summary.Summary{CGMStats: &summary.CGMStats{
			ID: &id, Dates: summary.Dates{LastData: &at, HasLastData: true},
			Periods: map[string]summary.CGMPeriod{"14d": {TimeInTargetPercent: &value, HasTimeInTargetPercent: true}},
		}})
		return err
	}
}

func ignoreGone(err error) error {
	if err != nil && err.Error() == patients.ErrNotFound.Error() {
		return nil
	}
	return err
}

// writeAsOlder changes documents as other programs do: all set updatedTime, but for reviews and removed halves of summaries.
func (s *pagesStage) writeAsOlder(t *testing.T, random *rand.Rand, someone bson.M) error {
	ctx, records, id := t.Context(), s.records(), someone["_id"]
	set := func(fields ...bson.E) error {
		late := choose(random, 0, 0, 5*time.Second) // it began long before
		_, err := records.UpdateByID(ctx, id, bson.D{{Key: "$set", Value: append(bson.D{{Key: "updatedTime", Value: store.Now().Add(-late)}}, fields...)}})
		return err
	}
	switch random.IntN(8) {
	case 0:
		return set(bson.E{Key: "fullName", Value: choose(random, moreNames...)})
	case 1:
		return set(bson.E{Key: "summary", Value: s.newRecord(random)["summary"]}, bson.E{Key: "tags", Value: choose[any](random, nil, bson.A{tagB})})
	case 2:
		half := choose(random, "summary.cgmStats", "summary.bgmStats")
		_, err := records.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: half + ".id", Value: removable}}, bson.D{{Key: "$unset", Value: bson.D{{Key: half, Value: ""}}}})
		return err
	case 3:
		_, err := records.UpdateByID(ctx, id, bson.D{{Key: "$set", Value: bson.D{{Key: "reviews", Value: bson.A{bson.M{"clinicianId": "c", "time": store.Now()}}}}}})
		return err
	case 4:
		return s.removeAsOlder(t, random, id)
	case 5:
		return set(bson.E{Key: "clinicId", Value: s.other})
	case 6:
		back, ok := s.someone(t, random, s.other)
		if !ok {
			return nil
		}
		_, err := records.UpdateByID(ctx, back["_id"], bson.D{{Key: "$set", Value: bson.D{{Key: "clinicId", Value: s.clinicID}, {Key: "updatedTime", Value: store.Now()}}}})
		return err
	default:
		return set(bson.E{Key: "mrn", Value: choose[any](random, nil, "M.1", "K.2")}, bson.E{Key: "sites", Value: choose[any](random, nil, bson.A{bson.M{"id": siteB, "name": "B"}})})
	}
}

func (s *pagesStage) removeAsOlder(t *testing.T, random *rand.Rand, id any) error {
	if random.IntN(3) > 0 {
		removed, err := s.records().FindOne(t.Context(), bson.D{{Key: "_id", Value: id}}).Raw()
		if err != nil {
			return nil //nolint:nilerr // somebody else removed him
		}
		record := bson.D{{Key: "patient", Value: removed}, {Key: "deletedTime", Value: store.Now()}}
		if _, err := s.store.Collection("patient_deletions").InsertOne(t.Context(), record); err != nil {
			return err
		}
	}
	_, err := s.records().DeleteOne(t.Context(), bson.D{{Key: "_id", Value: id}})
	return err
}
