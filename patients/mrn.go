package patients

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"

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

// mrnRules returns the rules of the clinic for medical record numbers. It has none unless it says so.
func mrnRules(clinic *clinics.Clinic) clinics.MRNSettings {
	if clinic.MRNSettings == nil {
		return clinics.MRNSettings{}
	}
	return *clinic.MRNSettings
}

// checkMRN holds a medical record number against the settings of the clinic, and reports whether it has to be unique there.
// userID is the patient who has or gets the number, "" if the account is yet to be made; nil stands for no number.
func (s *Service) checkMRN(ctx context.Context, clinic *clinics.Clinic, userID string, mrn *string) (unique bool, err error) {
	settings := mrnRules(clinic)
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
func (s *Service) hasMRN(ctx context.Context, clinicID bson.ObjectID, mrn, exceptUserID string) (bool, error) {
	n, err := s.collection.CountDocuments(ctx, bson.D{
		{Key: "clinicId", Value: clinicID},
		{Key: "mrn", Value: mrn},
		{Key: "userId", Value: bson.D{{Key: "$ne", Value: exceptUserID}}},
	}, options.Count().SetCollation(store.IgnoreCaseAndAccents()).SetLimit(1))
	return n > 0, err
}

const (
	// mrnLease is what the right to take a medical record number is called among the leases.
	mrnLease = "mrn"
	// turnPatience is how long a request waits for another one that is about the same number or patient.
	turnPatience = 10 * time.Second
)

// holdMRN takes the right to give a number to a patient of a clinic that wants them unique. The unique index tells spellings
// apart that the check does not, so that the check holds only while nobody else takes a spelling of the same number. It returns
// the context for what must follow although the caller leaves, and a function that ends both.
func (s *Service) holdMRN(ctx context.Context, clinic *clinics.Clinic, mrn *string) (context.Context, func(), error) {
	lasting, cancel := finishing(ctx)
	if mrn == nil || !mrnRules(clinic).Unique {
		return lasting, cancel, nil
	}
	lasting, lease, err := s.leases.Wait(lasting, mrnLease, clinic.ID.Hex()+"/"+foldedMRN(*mrn), turnPatience)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	return lasting, func() { lease.Release(); cancel() }, nil
}

// foldedMRN returns the same for all spellings that the database takes for the same number.
func foldedMRN(mrn string) string {
	return string(collate.New(language.English, collate.Loose).KeyFromString(&collate.Buffer{}, mrn))
}

// recheckMRN holds the number of a patient against the rules of the clinic once more, if some were switched on since it was
// checked. In a transaction that writes the number it comes first; what the transaction writes into the census makes it conflict
// with the switch.
func (s *Service) recheckMRN(ctx context.Context, checked clinics.MRNSettings, patient *Patient) error {
	clinic, err := s.clinics.Get(ctx, patient.ClinicID)
	if err != nil {
		return unlessGone(err)
	}
	return s.checkNewRules(ctx, clinic, checked, patient)
}

// settleMRN is recheckMRN without transactions. It comes after the write: whoever comes last, the switch or the write, then meets
// the other. A number that breaks a rule is taken back by undo, which gets the cause and returns it. Of several patients with
// spellings of one number one keeps it, because each is looked at, and taken back, while nobody else is.
func (s *Service) settleMRN(ctx context.Context, checked clinics.MRNSettings, patient *Patient, undo func(ctx context.Context, cause error) error) error {
	clinic, err := s.clinics.Get(ctx, patient.ClinicID)
	if err != nil {
		return unlessGone(err)
	}
	if mrnRules(clinic).Unique && !checked.Unique {
		lasting, release, err := s.holdMRN(ctx, clinic, patient.MRN)
		if err != nil {
			return err
		}
		defer release()
		ctx = lasting
	}
	err = s.checkNewRules(ctx, clinic, checked, patient)
	if errors.Is(err, ErrMRNRequired) || errors.Is(err, ErrMRNNotUnique) {
		return undo(ctx, err)
	}
	return err
}

// checkNewRules is checkMRN if the clinic has a rule now that was none of those that were checked.
func (s *Service) checkNewRules(ctx context.Context, clinic *clinics.Clinic, checked clinics.MRNSettings, patient *Patient) (err error) {
	now := mrnRules(clinic)
	if (checked.Required || !now.Required) && (checked.Unique || !now.Unique) {
		return nil
	}
	patient.RequireUniqueMRN, err = s.checkMRN(ctx, clinic, patient.UserID, patient.MRN)
	return err
}

// unlessGone returns nil for a clinic that is gone, with which others deal.
func unlessGone(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
