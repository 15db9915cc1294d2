package xealth

import (
	"context"

	"github.com/google/uuid"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
)

// PreorderResponse says what is to be shown while an order is placed.
type PreorderResponse struct {
	// Form is nil if there is nothing (more) to ask, and then the other members mean nothing.
	Form *Form
	// TrackingID ties the form to the order.
	TrackingID string
	// NotOrderable means that the form only explains why the order cannot go ahead.
	NotOrderable bool
}

const (
	preorderEvent = "preorder"
	initial       = "initial"
	subsequent    = "subsequent"
)

// Preorder answers a step of placing an order. The first offers a form, the second stores what was entered
// until the order arrives. Whether the form is for a guardian follows in both steps from the age in the request.
//
// Errors are of kind BadRequest if the message is not understood or says too little about the patient, NotFound or
// Duplicate if no clinic or several have the deployment, and Constraint if several patients have the number.
func (s *Service) Preorder(ctx context.Context, r Request) (PreorderResponse, error) {
	if r.EventType != preorderEvent {
		return PreorderResponse{}, reasonEvent.Of(errs.BadRequestf("expected eventType='preorder' got %s", r.EventType))
	}
	switch r.EventContext {
	case initial:
		answer, err := s.answerInitial(ctx, r)
		return answer, during("matching initial preorder request", err)
	case subsequent:
		return s.answerSubsequent(ctx, r)
	default:
		return PreorderResponse{}, reasonEvent.Of(errs.BadRequestf("invalid event context %s", r.EventContext))
	}
}

func (s *Service) answerInitial(ctx context.Context, r Request) (PreorderResponse, error) {
	m, err := s.match(ctx, r)
	if err != nil {
		return PreorderResponse{}, err
	}
	known, err := s.findPatient(ctx, m, "")
	if err != nil {
		return PreorderResponse{}, err
	}
	guardian, trackingID := needsGuardian(m.born, s.now()), uuid.NewString()
	switch {
	case known == nil:
		form := enrollmentForm(m, guardian)
		return PreorderResponse{Form: &form, TrackingID: trackingID}, nil
	case m.isBirthDateOf(known):
		return PreorderResponse{}, nil
	default:
		return refuse(m, problemBirthDate, trackingID, initialValues(m.demographics, guardian)), nil
	}
}

func (m match) isBirthDateOf(p *patients.Patient) bool { return p.BirthDate == string(m.born) }

func refuse(m match, p problem, trackingID string, data Submission) PreorderResponse {
	form := problemForm(m.clinic, p, data)
	return PreorderResponse{Form: &form, TrackingID: trackingID, NotOrderable: true}
}

var reasonEvent = errs.NewReason("event_unknown")

var errNoTrackingID = errs.Because("tracking_id_required", errs.BadRequestf("data tracking id is required"))

func (s *Service) answerSubsequent(ctx context.Context, r Request) (PreorderResponse, error) {
	if r.FormData != nil && r.FormData.Canceled {
		return PreorderResponse{}, nil // whoever cancels wants none of what was entered to be looked at
	}
	const step = "matching subsequent preorder request"
	m, err := s.match(ctx, r)
	if err != nil {
		return PreorderResponse{}, during(step, err)
	}
	known, err := s.findPatient(ctx, m, "")
	if err != nil {
		return PreorderResponse{}, during(step, err)
	}
	if r.FormData == nil || r.FormData.DataTrackingID == "" {
		return PreorderResponse{}, errNoTrackingID
	}
	trackingID := r.FormData.DataTrackingID
	data := r.FormData.UserInput.onlyFor(needsGuardian(m.born, s.now()))
	found, err := s.problemWith(ctx, m, known, data)
	if err != nil {
		return PreorderResponse{}, err
	}
	if found != "" {
		return refuse(m, found, trackingID, data), nil
	}
	return PreorderResponse{}, s.preorders.save(ctx, trackingID, data.withoutUnreachable())
}

// problemWith returns why the form cannot be accepted, or "". The patient may have been added since the form was shown;
// then no account will be made, and what was entered is not judged.
func (s *Service) problemWith(ctx context.Context, m match, known *patients.Patient, data Submission) (problem, error) {
	switch {
	case known != nil && m.isBirthDateOf(known):
		return "", nil
	case known != nil:
		return problemBirthDate, nil
	case !data.isComplete():
		return problemGeneric, nil
	}
	taken, err := s.isTaken(ctx, data.owner().Email)
	if err != nil || !taken {
		return "", err
	}
	return problemDuplicateEmail, nil
}

// isTaken reports whether there is an account with the address.
func (s *Service) isTaken(ctx context.Context, email string) (bool, error) {
	if email == "" {
		return false, nil
	}
	user, err := s.users.GetUser(ctx, email)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return user.UserID != "", err
}
