package clinicians

import (
	"context"
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// updateAttempts is how often a change of roles is tried while others change the same member.
const updateAttempts = 2

// Create adds a member, or a pending invite if there is no user id. It returns ErrNobody without user and invite id,
// ErrMember if the clinic has a member or invite with the same user id, invite id or address, and clinics.ErrNotFound or
// clinics.ErrNotMigrated.
func (s *Service) Create(ctx context.Context, member Clinician) (*Clinician, error) {
	if member.Email != nil {
		email := strings.ToLower(*member.Email)
		member.Email = &email
	}
	if err := s.clinics.RequireMigrated(ctx, member.ClinicID); err != nil {
		return nil, err
	}
	return &member, s.create(ctx, &member)
}

func (s *Service) create(ctx context.Context, member *Clinician) error {
	err := s.database.InTx(ctx, func(ctx context.Context) error {
		if known, err := s.hasSame(ctx, member); err != nil {
			return err
		} else if known {
			return ErrMember
		}
		if member.UserID == nil && member.InviteID == nil {
			return ErrNobody // after the check for duplicates, which callers have seen first so far
		}
		member.ID = store.NewID(ctx)
		member.CreatedTime = store.Now()
		member.UpdatedTime = member.CreatedTime
		if _, err := s.collection.InsertOne(ctx, member); err != nil {
			return store.OneOf(err, nil, ErrMember)
		}
		return s.updateAdmins(ctx, member)
	})
	if member.UserID != nil {
		return s.settle(ctx, member.ClinicID, *member.UserID, err)
	}
	return err
}

// Change is what can be changed of a member.
type Change struct {
	Name      *string // nil forgets the name
	Roles     []string
	ChangedBy string // the caller, whoever it is
}

// Update changes name and roles of a member, and returns the member as it is then. It returns ErrNotFound,
// clinics.ErrLastAdmin if the clinic would be left without an admin, ErrChanged if others kept changing the same member,
// and clinics.ErrNotFound or clinics.ErrNotMigrated.
func (s *Service) Update(ctx context.Context, clinicID bson.ObjectID, userID string, change Change) (*Clinician, error) {
	if err := s.clinics.RequireMigrated(ctx, clinicID); err != nil {
		return nil, err
	}
	var updated *Clinician
	err := ErrChanged
	for attempt := 0; attempt < updateAttempts && errors.Is(err, ErrChanged); attempt++ {
		err = s.database.InTx(ctx, func(ctx context.Context) (err error) {
			updated, err = s.update(ctx, clinicID, userID, change)
			return err
		})
	}
	return updated, s.settle(ctx, clinicID, userID, err)
}

func (s *Service) update(ctx context.Context, clinicID bson.ObjectID, userID string, change Change) (*Clinician, error) {
	member, err := s.Get(ctx, clinicID, userID)
	if err != nil {
		return nil, err
	}
	roles, changed := newRoles(member.Roles, change.Roles)
	after := Clinician{ClinicID: clinicID, UserID: &userID, Roles: roles}
	if !after.HasRole(RoleAdmin) {
		if err := s.updateAdmins(ctx, &after); err != nil {
			return nil, err
		}
	}
	var update *RolesUpdate
	if changed {
		update = &RolesUpdate{Roles: roles, UpdatedBy: change.ChangedBy}
	}
	updated, err := s.setNameAndRoles(ctx, member, change.Name, roles, update)
	if err == nil && after.HasRole(RoleAdmin) {
		err = s.updateAdmins(ctx, &after)
	}
	return updated, err
}

// Delete removes a member, with a record that names deletedBy, nil for a backend service. It returns ErrNotFound,
// clinics.ErrLastAdmin if the clinic would be left without an admin, and clinics.ErrNotFound or clinics.ErrNotMigrated.
func (s *Service) Delete(ctx context.Context, clinicID bson.ObjectID, userID string, deletedBy *string) error {
	if err := s.clinics.RequireMigrated(ctx, clinicID); err != nil {
		return err
	}
	err := s.database.InTx(ctx, func(ctx context.Context) error {
		if err := s.database.Claim(ctx, s.collection, ofMember(clinicID, userID)); err != nil {
			return err
		}
		documents, err := s.stored(ctx, ofMember(clinicID, userID))
		if err != nil {
			return err
		}
		if len(documents) == 0 {
			return ErrNotFound
		}
		if err := s.clinics.RemoveAdmin(ctx, clinicID, userID); err != nil {
			return err
		}
		_, err = s.deletions.RemoveDocuments(ctx, documents, deletedBy)
		return err
	})
	return s.settle(ctx, clinicID, userID, err)
}
