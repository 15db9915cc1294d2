package census

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Place is a place under the limit of a clinic, for a patient who is about to be made. It is counted already. Either Fill or
// GiveBack ends it; if the process dies before, a recount gives it back.
type Place struct {
	census *Service
	note   note
	plan   *int
}

// Reserve takes a place of the clinic, which may have as many patients as the plan says; nil means as many as it wants. It
// returns ErrLimitReached if there is no place. Of many calls for the last place, one succeeds.
func (s *Service) Reserve(ctx context.Context, clinicID bson.ObjectID, plan *int) (*Place, error) {
	place := Place{census: s, note: note{ClinicID: clinicID}, plan: plan}
	if plan == nil {
		return &place, nil
	}
	if _, err := s.PatientCount(ctx, clinicID); err != nil { // so that there is a number to compare
		return nil, err
	}
	var reserved note
	err := s.database.InTx(ctx, func(ctx context.Context) (err error) {
		if reserved, err = s.leaveNote(ctx, clinicID, 1); err != nil {
			return err
		}
		return s.add(ctx, clinicID, reserved.reserved(), terms{newPatient: true, plan: plan})
	})
	if err != nil {
		// After another error the place may be taken: then the note stays, and leads to a recount.
		if !s.database.HasTransactions() && (errors.Is(err, ErrLimitReached) || errors.Is(err, ErrNoClinic) || errors.Is(err, ErrClosed)) {
			err = errors.Join(err, s.removeNote(context.WithoutCancel(ctx), reserved))
		}
		return nil, err
	}
	place.note = reserved
	return &place, nil
}

// Again takes a place like this one, which has ended.
func (p *Place) Again(ctx context.Context) (*Place, error) {
	return p.census.Reserve(ctx, p.note.ClinicID, p.plan)
}

// Fill is Service.Change for the write that makes the patient. On an error the place is given back.
func (p *Place) Fill(ctx context.Context, write func(ctx context.Context) (Count, error)) error {
	s := p.census
	if p.note.Reserved == 0 {
		return s.Change(ctx, p.note.ClinicID, write)
	}
	if !s.database.HasTransactions() {
		return s.follow(ctx, p.note, write)
	}
	err := s.database.InTx(ctx, func(ctx context.Context) error {
		difference, err := write(ctx)
		if err != nil {
			return err
		}
		adds := terms{newPatient: difference.Total > 0}
		stillCounted, err := s.takeNote(ctx, p.note)
		if err != nil {
			return err
		}
		if stillCounted { // otherwise a recount thought that this process is dead
			difference = difference.Minus(p.note.reserved())
		}
		return s.add(ctx, p.note.ClinicID, difference, adds)
	})
	if err != nil {
		p.GiveBack(ctx)
	}
	return err
}

// GiveBack ends a place for which no patient was made. That it cannot be done now is no error: a recount does it.
func (p *Place) GiveBack(ctx context.Context) {
	if p.note.Reserved == 0 {
		return
	}
	s := p.census
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	err := s.database.InTx(ctx, func(ctx context.Context) error {
		stillCounted, err := s.takeNote(ctx, p.note)
		if err != nil || !stillCounted {
			return err
		}
		return s.add(ctx, p.note.ClinicID, Count{}.Minus(p.note.reserved()), terms{})
	})
	if err != nil {
		s.warn("a place under the limit could not be given back; a recount will", p.note.ClinicID, err)
	}
}
