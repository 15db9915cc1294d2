package roster

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// What the operators' command line asks about patients.

// EHRFilter says which patients of a clinic an operator wants to see. What is nil or empty does not restrict them.
type EHRFilter struct {
	UserID string
	// Subscribed restricts to patients who have a subscription, active or not, or to those who have none.
	Subscribed *bool
	// MRN restricts to patients who have a medical record number, or to those who have none.
	MRN *bool
}

// ListForEHR returns a page of the patients of the clinic, without summaries, ordered by medical record number and then id,
// and how many there are in all.
func (s *Service) ListForEHR(ctx context.Context, clinicID bson.ObjectID, filter EHRFilter, page store.Page) ([]*patients.Patient, int, error) {
	query := filter.query(clinicID)
	total, err := s.collection.CountDocuments(ctx, query)
	if err != nil {
		return nil, 0, err
	}
	list, err := s.patients(ctx, query, page.Find().SetSort(store.Ascending("mrn", "_id")))
	return list, int(total), err
}

// CountForEHR returns how many patients of the clinic the filter admits.
func (s *Service) CountForEHR(ctx context.Context, clinicID bson.ObjectID, filter EHRFilter) (int, error) {
	n, err := s.collection.CountDocuments(ctx, filter.query(clinicID))
	return int(n), err
}

// CountReportSubscribers returns how many patients of the clinic have an active subscription of Redox.
func (s *Service) CountReportSubscribers(ctx context.Context, clinicID bson.ObjectID) (int, error) {
	n, err := s.collection.CountDocuments(ctx, bson.D{{Key: "clinicId", Value: clinicID}, {Key: activeReports, Value: true}})
	return int(n), err
}

func (f EHRFilter) query(clinicID bson.ObjectID) bson.D {
	query := bson.D{{Key: "clinicId", Value: clinicID}}
	if f.UserID != "" {
		query = append(query, bson.E{Key: "userId", Value: f.UserID})
	}
	if f.Subscribed != nil {
		query = append(query, bson.E{Key: "ehrSubscriptions", Value: present(*f.Subscribed, bson.D{})})
	}
	if f.MRN != nil {
		query = append(query, bson.E{Key: "mrn", Value: present(*f.MRN, "")})
	}
	return query
}

// present selects fields that hold something, or those that are absent, null or empty.
func present(wanted bool, empty any) bson.D {
	operator := "$in"
	if wanted {
		operator = "$nin"
	}
	return bson.D{{Key: operator, Value: bson.A{nil, empty}}}
}

// CustodialWithoutEmail returns up to limit custodial patients of the clinic who have no address, without summaries,
// ordered by id and beginning after the given one. Whoever gets an address meanwhile does not move the others.
func (s *Service) CustodialWithoutEmail(ctx context.Context, clinicID, after bson.ObjectID, limit int) ([]*patients.Patient, error) {
	return s.patients(ctx, bson.D{
		{Key: "clinicId", Value: clinicID},
		{Key: "email", Value: present(false, "")},
		{Key: "permissions.custodian", Value: bson.D{{Key: "$ne", Value: nil}}},
		{Key: "_id", Value: bson.D{{Key: "$gt", Value: after}}},
	}, store.Page{Limit: limit}.Find().SetSort(store.Ascending("_id")))
}

func (s *Service) patients(ctx context.Context, query bson.D, o *options.FindOptionsBuilder) ([]*patients.Patient, error) {
	cursor, err := s.collection.Find(ctx, query, o.SetProjection(bson.D{{Key: "summary", Value: 0}}))
	if err != nil {
		return nil, err
	}
	var list []*patients.Patient
	return list, cursor.All(ctx, &list)
}
