package redox

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// Backfill gives custodial patients without an address the one that is in the order by which they were subscribed.
type Backfill struct {
	messages *messageStore
	patients *patients.Service
	roster   *roster.Service
	log      *zap.Logger
}

// NewBackfill returns a backfill over the patients by the messages of the service.
func NewBackfill(s *Service, patients *patients.Service, roster *roster.Service, log *zap.Logger) *Backfill {
	return &Backfill{messages: s.messages, patients: patients, roster: roster, log: log}
}

// BackfillOptions say how a backfill works.
type BackfillOptions struct {
	DryRun    bool // find addresses, but change nothing
	BatchSize int  // patients in memory, more than 0
	// Found is called for each patient who got an address or, in a dry run, would get it; Seen after each batch with the
	// number of patients that were looked at.
	Found func(patient *patients.Patient, email string)
	Seen  func(count int)
}

// Run goes through the patients of the clinic and returns how many got an address, or would. A problem with one patient is
// logged without data of the patient, and does not stop the others.
func (b *Backfill) Run(ctx context.Context, clinicID bson.ObjectID, o BackfillOptions) (int, error) {
	updated, seen := 0, 0
	var after bson.ObjectID
	for {
		batch, err := b.roster.CustodialWithoutEmail(ctx, clinicID, after, o.BatchSize)
		if err != nil || len(batch) == 0 {
			return updated, err
		}
		for _, patient := range batch {
			after = patient.ID
			done, err := b.one(ctx, patient, o)
			if ctx.Err() != nil {
				return updated, ctx.Err()
			}
			if err != nil {
				b.log.Error("a patient was skipped", zap.String("userId", patient.UserID), zap.Error(err))
			}
			if done {
				updated++
			}
		}
		seen += len(batch)
		o.Seen(seen)
	}
}

// one reports whether the patient got an address, or would.
func (b *Backfill) one(ctx context.Context, patient *patients.Patient, o BackfillOptions) (bool, error) {
	subscription := patient.EHRSubscriptions[patients.SummaryAndReports]
	if !subscription.Active || len(subscription.MatchedMessages) == 0 {
		return false, nil
	}
	message, err := b.messages.newOrder(ctx, subscription.MatchedMessages[len(subscription.MatchedMessages)-1].ID)
	if err != nil {
		return false, err
	}
	email, err := message.order().email(store.Now())
	if err != nil || email == "" {
		return false, err
	}
	if !o.DryRun {
		if err := b.update(ctx, patient, email); err != nil {
			return false, err
		}
	}
	o.Found(patient, email)
	return true, nil
}

var errChanged = errors.New("the patient got an address meanwhile")

func (b *Backfill) update(ctx context.Context, patient *patients.Patient, email string) error {
	// The patient was read with a whole batch, perhaps some time ago, and an update repeats what was read.
	current, err := b.patients.Get(ctx, patient.ClinicID, patient.UserID)
	if err != nil {
		return err
	}
	if current.Email != nil && *current.Email != "" {
		return errChanged
	}
	details := patients.Details{BirthDate: current.BirthDate, Email: &email, MRN: current.MRN, TargetDevices: current.TargetDevices}
	if current.FullName != nil {
		details.FullName = *current.FullName
	}
	if _, err := b.patients.Update(ctx, current.ClinicID, current.UserID, details); err != nil {
		return errors.New("the update was refused: " + errs.Public(err))
	}
	return nil
}
