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
func (l *Lifecycle) Create(ctx context.Context, userID string, profile Profile) (*Clinic, error) {
	founder, err := l.founder(ctx, userID)
	if err != nil {
		return nil, err
	}
	demo, err := l.demo(ctx)
	if err != nil {
		return nil, err
	}
	clinic := Clinic{IsMigrated: true}
	profile.fill(&clinic)
	return l.create(ctx, clinic, founder, demo)
}

// CreateForLegacyAccount makes the empty clinic into which a legacy account will move. It returns an error of kind
// errs.NotFound if the user has no account, and of kind errs.Constraint if it is not a legacy one.
func (l *Lifecycle) CreateForLegacyAccount(ctx context.Context, userID string) (*Clinic, error) {
	if err := l.RequireLegacyAccount(ctx, userID); err != nil {
		return nil, err
	}
	founder, err := l.founder(ctx, userID)
	if err != nil {
		return nil, err
	}
	return l.create(ctx, Clinic{}, founder, nil)
}

// RequireLegacyAccount returns nil if the account of the user stands for a clinic. Otherwise the error is of kind
// errs.NotFound if there is no such account, and of kind errs.Constraint if it is another kind of account.
func (l *Lifecycle) RequireLegacyAccount(ctx context.Context, userID string) error {
	user, err := l.accounts.GetUser(ctx, userID)
	if err != nil {
		return err
	}
	if !user.IsLegacyClinic() {
		return reasonNotLegacy.Of(errs.Constraintf("user %s is not clinician", userID))
	}
	return nil
}

func (l *Lifecycle) founder(ctx context.Context, userID string) (Founder, error) {
	user, err := l.accounts.GetUser(ctx, userID)
	if err != nil {
		return Founder{}, err
	}
	profile, err := l.people.Profile(ctx, userID)
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
func (l *Lifecycle) demo(ctx context.Context) (*demoPatient, error) {
	if l.demoUserID == "" {
		return nil, nil
	}
	user, err := l.accounts.GetUser(ctx, l.demoUserID)
	if errs.Is(err, errs.NotFound) {
		return nil, reasonNoDemoAccount.Of(errs.Wrap(errs.NotFound, errs.Public(err), fmt.Errorf("the demo patient %s has no account", l.demoUserID)))
	}
	if err != nil {
		return nil, err
	}
	profile, err := l.people.Profile(ctx, l.demoUserID)
	if err != nil {
		return nil, err
	}
	return &demoPatient{user: user, profile: profile}, nil
}

func (l *Lifecycle) create(ctx context.Context, clinic Clinic, founder Founder, demo *demoPatient) (*Clinic, error) {
	clinic.Admins = []string{founder.UserID}
	clinic.PatientCountSettings = &PatientCountSettings{HardLimit: &PatientCountLimit{Plan: defaultHardLimit}}
	clinic.CreatedTime = store.Now()
	clinic.UpdatedTime = clinic.CreatedTime
	clinic.PatientCount = &census.PatientCount{}
	if demo != nil {
		*clinic.PatientCount = census.PatientCount{Total: 1, Demo: 1}
	}

	for range shareCodeDraws {
		code := l.drawShareCode()
		if taken, err := l.clinics.hasShareCode(ctx, code); err != nil {
			return nil, err
		} else if taken {
			continue
		}
		clinic.ID = store.NewID(ctx) // unless it is planned, a new one: a failed attempt may have left traces under the last
		clinic.CanonicalShareCode, clinic.ShareCodes = code, []string{code}
		err := l.insert(ctx, &clinic, founder, demo)
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
func (l *Lifecycle) insert(ctx context.Context, clinic *Clinic, founder Founder, demo *demoPatient) error {
	err := l.clinics.database.InTx(ctx, func(ctx context.Context) error {
		if err := l.members.AddFounder(ctx, clinic.ID, founder); err != nil {
			return err
		}
		if demo != nil {
			if err := l.patients.AddDemoPatient(ctx, clinic.ID, demo.user, demo.profile); err != nil {
				return err
			}
		}
		if err := l.clinics.census.Start(ctx, clinic.ID); err != nil {
			return err
		}
		_, err := l.clinics.collection.InsertOne(ctx, clinic)
		return store.OneOf(err, nil, ErrDuplicateShareCode)
	})
	// What is planned stays as far as it got: a repeat completes it, if it is not already at work.
	if err != nil && !l.clinics.database.HasTransactions() && !store.IsPlanned(ctx) {
		return l.undo(ctx, clinic.ID, err)
	}
	return err
}

// undo takes back what a failed insert may have written, and returns its error.
func (l *Lifecycle) undo(ctx context.Context, id bson.ObjectID, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	_, err := l.clinics.collection.DeleteOne(ctx, bson.D{{Key: "_id", Value: id}})
	return errors.Join(cause, err, l.patients.Discard(ctx, id), l.members.Discard(ctx, id), l.clinics.census.Forget(ctx, id))
}
