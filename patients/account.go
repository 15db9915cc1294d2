package patients

import (
	"context"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
)

// account is an account that was made for a patient.
type account struct {
	userID   string
	creation creation
}

const (
	// adoptionPatience is how long a repeat waits for the request before it, if that may still be at work.
	adoptionPatience = 8 * time.Second
	adoptionPoll     = 250 * time.Millisecond
)

var errBeingCreated = errs.Because("busy", errs.Unavailablef("the patient is being created by another request; repeat the request"))

// makeAccount makes an account for a patient of the clinic. If an earlier request made it, and was cut off before there was a
// patient, it takes over the account of that request.
func (s *Service) makeAccount(ctx context.Context, clinicID bson.ObjectID, email string) (account, error) {
	c, err := s.beginCreation(ctx, clinicID, email)
	if err != nil {
		return account{}, err
	}
	made, err := s.accounts.CreateCustodialUser(ctx, clinicID.Hex(), email)
	if err == nil {
		return account{userID: made.UserID, creation: c}, nil
	}
	if !errs.Is(err, errs.Duplicate) {
		s.endCreation(ctx, c, err) // the account may have been made
		return account{}, err
	}
	taken := err
	if !c.isRepeat() {
		s.endCreation(ctx, c, nil)
		return account{}, taken
	}
	userID, err := s.adopt(ctx, c, email)
	if err != nil {
		return account{}, err
	}
	if userID == "" {
		s.endCreation(ctx, c, nil)
		return account{}, taken
	}
	s.log.Info("the account of a creation that was cut off is taken over", zap.String("clinicId", clinicID.Hex()), zap.String("userId", userID))
	return account{userID: userID, creation: c}, nil
}

// adopt returns the user id of the account that the request before this one made for a patient who did not come to be, "" if
// there is no such account. While that request may be at work, it waits, and returns errBeingCreated when the patience ends.
func (s *Service) adopt(ctx context.Context, c creation, email string) (string, error) {
	user, err := s.accounts.GetUser(ctx, email)
	if errs.Is(err, errs.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if user.UserID == "" || !user.IsCustodial() || user.IsLegacyClinic() || !strings.EqualFold(user.Username, email) {
		return "", nil
	}
	for deadline := time.Now().Add(adoptionPatience); ; {
		used, err := s.isOrWasPatient(ctx, c.ClinicID, user.UserID)
		if err != nil || used {
			return "", err
		}
		state, err := s.stateOf(ctx, c)
		if err != nil || state == endedWell {
			return "", err
		}
		if state == cutOff {
			return user.UserID, nil
		}
		if time.Now().After(deadline) {
			return "", errBeingCreated
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(adoptionPoll):
		}
	}
}

// isOrWasPatient reports whether the user is a patient of any clinic, or was one of this.
func (s *Service) isOrWasPatient(ctx context.Context, clinicID bson.ObjectID, userID string) (bool, error) {
	n, err := s.collection.CountDocuments(ctx, ofUser(userID), options.Count().SetLimit(1))
	if err != nil || n > 0 {
		return true, err
	}
	n, err = s.database.Collection(DeletionsCollectionName).CountDocuments(ctx,
		bson.D{{Key: "patient.clinicId", Value: clinicID}, {Key: "patient.userId", Value: userID}}, options.Count().SetLimit(1))
	return n > 0, err
}
