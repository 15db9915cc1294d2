package patients

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
)

// A change of a tag of more patients than one write changes is written down and made in the background, by whichever process
// comes to it first: the caller of a clinic with 20,000 patients would wait for half a minute. Changes of one clinic are made in
// the order in which they were asked for, by one process at a time, in the order of the ids of records. So a person who changes
// the tags of a patient where the work has passed already has the last word.

const (
	// answerTime is how long a caller waits for the end, unless somebody chose otherwise.
	answerTime = 1500 * time.Millisecond
	// tagPatience is how long those wait who cannot go on before the end.
	tagPatience = 8 * time.Second
	// tagPoll is how often they look.
	tagPoll = 100 * time.Millisecond
)

// ErrTagsChange tells that the tags of many patients of a clinic are being changed.
var ErrTagsChange = errs.Because("busy", errs.Unavailablef("the tags of many patients of the clinic are being changed; repeat the request"))

// errCanceled tells that a change was canceled, or made by somebody else.
var errCanceled = errors.New("the change was canceled")

// hasToWait reports whether the change is too large for one step, or comes after another one of the same tag.
func (s *Service) hasToWait(ctx context.Context, c *tagChange) (bool, error) {
	later, err := s.hasTagChange(ctx, bson.D{{Key: "clinicId", Value: c.ClinicID}, {Key: "tagId", Value: c.TagID}})
	if later || err != nil {
		return later, err
	}
	some, err := s.someIDsOf(ctx, c.needing(), batchSize+1)
	return len(some) > batchSize, err
}

// acceptTagChange writes the change down and waits for its end, but not for long. A change that fails until then fails the
// request, and is not tried again.
func (s *Service) acceptTagChange(ctx context.Context, c *tagChange) error {
	accepted, err := s.insertTagChange(ctx, c)
	if err != nil || !accepted {
		return err
	}
	s.logTagChange("a tag of many patients is to be changed", c)
	ended := s.tagWork.expect(c.ID)
	s.tagWork.wake()
	enough := time.NewTimer(s.AnswerTime)
	defer enough.Stop()
	look := time.NewTicker(tagPoll)
	defer look.Stop()
	for there := true; there; {
		select {
		case err := <-ended:
			return err
		case <-enough.C:
			there = false
		case <-ctx.Done():
			there = false
		case <-look.C: // another process may have made it
			some, err := s.hasTagChange(ctx, bson.D{{Key: "_id", Value: c.ID}})
			there = some || err != nil
		}
	}
	return s.tagWork.leave(c.ID, ended)
}

// AwaitTagChanges waits until no tag of many patients of the clinics is being changed. It returns ErrTagsChange if that takes too
// long.
func (s *Service) AwaitTagChanges(ctx context.Context, clinicIDs ...bson.ObjectID) error {
	for deadline := time.Now().Add(tagPatience); ; {
		some, err := s.hasTagChange(ctx, bson.D{{Key: "clinicId", Value: bson.D{{Key: "$in", Value: clinicIDs}}}})
		if err != nil || !some {
			return err
		}
		if time.Now().After(deadline) {
			return ErrTagsChange
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(tagPoll):
		}
	}
}

func (s *Service) logTagChange(what string, c *tagChange) {
	s.log.Info(what, zap.Stringer("clinicId", c.ClinicID), zap.Stringer("tagId", c.TagID), zap.Bool("remove", c.Remove))
}

// tagWork is what this process does about changes of tags.
type tagWork struct {
	mu      sync.Mutex
	clinics map[bson.ObjectID]bool       // on which it works
	waiting map[bson.ObjectID]chan error // requests, by change
	arrived chan struct{}
	turns   chan struct{}
}

func newTagWork() *tagWork {
	return &tagWork{
		clinics: map[bson.ObjectID]bool{}, waiting: map[bson.ObjectID]chan error{},
		arrived: make(chan struct{}, 1), turns: make(chan struct{}, clinicsAtOnce),
	}
}

func (w *tagWork) wake() {
	select {
	case w.arrived <- struct{}{}:
	default:
	}
}

// begin reports whether nobody in this process works on the clinic, and somebody does from now on.
func (w *tagWork) begin(clinicID bson.ObjectID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.clinics[clinicID] {
		return false
	}
	w.clinics[clinicID] = true
	return true
}

func (w *tagWork) end(clinicID bson.ObjectID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.clinics, clinicID)
}

// expect returns what tells a request how its change ended, if this process makes it, until leave is called.
func (w *tagWork) expect(change bson.ObjectID) <-chan error {
	w.mu.Lock()
	defer w.mu.Unlock()
	ended := make(chan error, 1)
	w.waiting[change] = ended
	return ended
}

// leave ends the waiting of a request. It returns the error that it was told in the same moment, if any.
func (w *tagWork) leave(change bson.ObjectID, ended <-chan error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, change)
	select {
	case err := <-ended:
		return err
	default:
		return nil
	}
}

// tell says how a change ended, and reports whether a request hears it.
func (w *tagWork) tell(change bson.ObjectID, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	ended, heard := w.waiting[change]
	if heard {
		ended <- err
		delete(w.waiting, change)
	}
	return heard
}
