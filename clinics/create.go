package clinics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/store"
)

// defaultHardLimit is how many patients a new clinic may create.
const defaultHardLimit = 250

// undoTime bounds the clean-up after a creation that failed, which goes on when the caller has gone.
const undoTime = 10 * time.Second

// demoPatient is the account that becomes the demo patient of a new clinic.
type demoPatient struct {
	user    platform.User
	profile platform.Profile
}

var (
	reasonNotLegacy     = errs.NewReason("account_not_legacy")
	reasonNoDemoAccount = errs.NewReason("demo_account_not_found")
)

// Create makes a clinic with the user as its admin and, if one is configured, a demo patient. Two calls make two clinics.
// It returns an error of kind errs.NotFound if the user or the demo patient has no account, and ErrDuplicateShareCode in
// the unlikely case that no free share code was found.
func (s *Service) Create(ctx context.Context, userID string, profile Profile) (*Clinic, error) {
	founder, err := s.founder(ctx, userID)
	if err != nil {
		return nil, err
	}
	demo, err := s.demo(ctx)
	if err != nil {
		return nil, err
	}
	clinic := Clinic{IsMigrated: true}
	profile.fill(&clinic)
	return s.create(ctx, clinic, founder, demo)
}

// CreateForLegacyAccount makes the empty clinic into which a legacy account will move. It returns an error of kind
// errs.NotFound if the user has no account, and of kind errs.Constraint if it is not a legacy one.
func (s *Service) CreateForLegacyAccount(ctx context.Context, userID string) (*Clinic, error) {
	if err := s.RequireLegacyAccount(ctx, userID); err != nil {
		return nil, err
	}
	founder, err := s.founder(ctx, userID)
	if err != nil {
		return nil, err
	}
	return s.create(ctx, Clinic{}, founder, nil)
}

// RequireLegacyAccount returns nil if the account of the user stands for a clinic. Otherwise the error is of kind
// errs.NotFound if there is no such account, and of kind errs.Constraint if it is another kind of account.
func (s *Service) RequireLegacyAccount(ctx context.Context, userID string) error {
	user, err := s.accounts.GetUser(ctx, userID)
	if err != nil {
		return err
	}
	if !user.IsLegacyClinic() {
		return reasonNotLegacy.Of(errs.Constraintf("user %s is not clinician", userID))
	}
	return nil
}

func (s *Service) founder(ctx context.Context, userID string) (Founder, error) {
	user, err := s.accounts.GetUser(ctx, userID)
	if err != nil {
		return Founder{}, err
	}
	profile, err := s.people.Profile(ctx, userID)
	if err != nil {
		return Founder{}, err
	}
	founder := Founder{UserID: userID}
	if len(user.Emails) > 0 {
		email := strings.ToLower(user.Emails[0])
		founder.Email = &email
	}
	if profile.FullName != "" {
		founder.Name = &profile.FullName
	}
	return founder, nil
}

// demo returns nil if clinics get no demo patient.
func (s *Service) demo(ctx context.Context) (*demoPatient, error) {
	if s.demoUserID == "" {
		return nil, nil
	}
	user, err := s.accounts.GetUser(ctx, s.demoUserID)
	if errs.Is(err, errs.NotFound) {
		return nil, reasonNoDemoAccount.Of(errs.Wrap(errs.NotFound, errs.Public(err), fmt.Errorf("the demo patient %s has no account", s.demoUserID)))
	}
	if err != nil {
		return nil, err
	}
	profile, err := s.people.Profile(ctx, s.demoUserID)
	if err != nil {
		return nil, err
	}
	return &demoPatient{user: user, profile: profile}, nil
}

func (s *Service) create(ctx context.Context, clinic Clinic, founder Founder, demo *demoPatient) (*Clinic, error) {
	clinic.Admins = []string{founder.UserID}
	clinic.PatientCountSettings = &PatientCountSettings{HardLimit: &PatientCountLimit{Plan: defaultHardLimit}}
	clinic.CreatedTime = store.Now()
	clinic.UpdatedTime = clinic.CreatedTime
	clinic.PatientCount = &census.PatientCount{}
	if demo != nil {
		*clinic.PatientCount = census.PatientCount{Total: 1, Demo: 1}
	}

	for range shareCodeDraws {
		code := s.drawShareCode()
		if taken, err := s.hasShareCode(ctx, code); err != nil {
			return nil, err
		} else if taken {
			continue
		}
		clinic.ID = bson.NewObjectID() // a failed attempt may have left traces under the last one
		clinic.CanonicalShareCode, clinic.ShareCodes = code, []string{code}
		err := s.insert(ctx, &clinic, founder, demo)
		if err == nil {
			return &clinic, nil
		}
		if !errs.Is(err, errs.Duplicate) {
			return nil, err
		}
	}
	return nil, ErrDuplicateShareCode
}

// insert writes the clinic last: until then nobody sees the other documents, and those who watch the inserts of clinics
// find it complete.
func (s *Service) insert(ctx context.Context, clinic *Clinic, founder Founder, demo *demoPatient) error {
	err := s.database.InTx(ctx, func(ctx context.Context) error {
		if err := s.members.AddFounder(ctx, clinic.ID, founder); err != nil {
			return err
		}
		if demo != nil {
			if err := s.patients.AddDemoPatient(ctx, clinic.ID, demo.user, demo.profile); err != nil {
				return err
			}
		}
		if err := s.census.Start(ctx, clinic.ID); err != nil {
			return err
		}
		_, err := s.collection.InsertOne(ctx, clinic)
		return store.OneOf(err, nil, ErrDuplicateShareCode)
	})
	if err != nil && !s.database.HasTransactions() {
		return s.undo(ctx, clinic.ID, err)
	}
	return err
}

// undo takes back what a failed insert may have written, and returns its error.
func (s *Service) undo(ctx context.Context, id bson.ObjectID, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	_, err := s.collection.DeleteOne(ctx, bson.D{{Key: "_id", Value: id}})
	return errors.Join(cause, err, s.patients.Discard(ctx, id), s.members.Discard(ctx, id), s.census.Forget(ctx, id))
}
