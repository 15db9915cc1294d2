package patients

import (
	"context"
	"strings"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// The errors of the rules for medical record numbers.
var (
	ErrMRNRequired  = errs.Because("mrn_required", errs.BadRequestf("mrn is required"))
	ErrMRNNotUnique = errs.Because("mrn_not_unique", errs.BadRequestf("mrn must be unique"))
)

// TrimMRN returns a medical record number without what cannot be seen around it: blanks, and characters of no width. Numbers
// that look alike are alike, and one of blanks is none.
func TrimMRN(mrn string) string {
	return strings.TrimFunc(mrn, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
}

// checkMRN holds a medical record number against the settings of the clinic, and reports whether it has to be unique there.
// userID is the patient who has or gets the number, "" if the account is yet to be made; nil stands for no number.
func (s *Service) checkMRN(ctx context.Context, clinic *clinics.Clinic, userID string, mrn *string) (unique bool, err error) {
	settings := clinic.MRNSettings
	if settings == nil {
		return false, nil
	}
	if settings.Required && (mrn == nil || *mrn == "") {
		return false, ErrMRNRequired
	}
	if !settings.Unique || mrn == nil {
		return settings.Unique, nil
	}
	taken, err := s.hasMRN(ctx, clinic.ID, *mrn, userID)
	if err == nil && taken {
		err = ErrMRNNotUnique
	}
	return true, err
}

// hasMRN reports whether a patient of the clinic other than the given one has the number. COMPAT: letter case and accents
// make no difference, unlike in the unique index, and patients that came before the number had to be unique count, too.
func (r *Repository) hasMRN(ctx context.Context, clinicID bson.ObjectID, mrn, exceptUserID string) (bool, error) {
	n, err := r.collection.CountDocuments(ctx, bson.D{
		{Key: "clinicId", Value: clinicID},
		{Key: "mrn", Value: mrn},
		{Key: "userId", Value: bson.D{{Key: "$ne", Value: exceptUserID}}},
	}, options.Count().SetCollation(store.IgnoreCaseAndAccents()).SetLimit(1))
	return n > 0, err
}
