package roster

import (
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// Identity is what an order says about a patient. Empty members are not compared.
type Identity struct {
	MRN       string
	BirthDate string
	FullName  string
}

// maxMatches bounds how many patients of a clinic can match an order.
const maxMatches = 100

// activeReports selects patients whose reports go to the health record of the clinic.
const activeReports = "ehrSubscriptions." + patients.SummaryAndReports + ".active"

// ehrIndexes serve the search for the patient of an order, and the search for subscribers. The plain index of medical
// record numbers cannot serve a comparison that ignores case.
func ehrIndexes() []store.Index {
	return []store.Index{
		{Name: "PatientMRNEn", Keys: store.Ascending("clinicId", "mrn"), Locale: store.IgnoreCaseAndAccents()},
		{Name: "ActiveReportSubscribers", Keys: store.Ascending("clinicId", "userId"), Partial: bson.D{{Key: activeReports, Value: true}}},
	}
}

// FindByIdentity returns the patients of the clinic who equal the identity but for case and accents, ordered by full name
// and then id. An identity without members fits nobody. It returns at most 100.
func (s *Service) FindByIdentity(ctx context.Context, clinicID bson.ObjectID, who Identity) ([]*patients.Patient, error) {
	if who == (Identity{}) {
		return nil, nil
	}
	filter := bson.D{{Key: "clinicId", Value: clinicID}}
	for _, member := range []struct{ field, value string }{{"mrn", who.MRN}, {"birthDate", who.BirthDate}, {"fullName", who.FullName}} {
		if member.value != "" {
			filter = append(filter, bson.E{Key: member.field, Value: member.value})
		}
	}
	cursor, err := findBy(ctx, s.collection, filter, options.Find().
		SetCollation(store.IgnoreCaseAndAccents()).
		SetSort(store.Ascending("fullName", "_id")).
		SetLimit(maxMatches), identityIndex(who.MRN, who.BirthDate))
	if err != nil {
		return nil, err
	}
	var found []*patients.Patient
	return found, cursor.All(ctx, &found)
}

// Subscriber is a patient whose reports go to the health record of the clinic.
type Subscriber struct {
	ClinicID bson.ObjectID
	UserID   string
	// Message is the order that was matched last.
	Message bson.ObjectID
}

// ReportSubscribers goes through the patients of the clinic whose reports go to its health record, without holding more
// than a few of them. Patients for whom no order was ever matched are left out. It ends with the first error.
func (s *Service) ReportSubscribers(ctx context.Context, clinicID bson.ObjectID) iter.Seq2[Subscriber, error] {
	return s.subscribers(ctx, bson.D{{Key: "clinicId", Value: clinicID}, {Key: activeReports, Value: true}})
}

// ReportSubscriptions is ReportSubscribers for the records of one user in all clinics.
func (s *Service) ReportSubscriptions(ctx context.Context, userID string) iter.Seq2[Subscriber, error] {
	return s.subscribers(ctx, bson.D{{Key: "userId", Value: userID}, {Key: activeReports, Value: true}})
}

func (s *Service) subscribers(ctx context.Context, filter bson.D) iter.Seq2[Subscriber, error] {
	return func(yield func(Subscriber, error) bool) {
		cursor, err := s.collection.Find(ctx, filter, options.Find().
			SetSort(store.Ascending("clinicId", "userId")).
			SetProjection(store.Ascending("clinicId", "userId", "ehrSubscriptions."+patients.SummaryAndReports+".matchedMessages")))
		for patient, err := range store.Documents[patients.Patient](ctx, cursor, err) {
			matched := patient.EHRSubscriptions[patients.SummaryAndReports].MatchedMessages
			if err == nil && len(matched) == 0 {
				continue
			}
			subscriber := Subscriber{ClinicID: patient.ClinicID, UserID: patient.UserID}
			if err == nil {
				subscriber.Message = matched[len(matched)-1].ID
			}
			if !yield(subscriber, err) {
				return
			}
		}
	}
}
