package clinicians

import (
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// CollectionName is the collection of members and of pending invites.
const CollectionName = "clinicians"

// The roles that a member of a clinic can have. Prescriber alone grants nothing in this service.
const (
	RoleAdmin      = "CLINIC_ADMIN"
	RoleMember     = "CLINIC_MEMBER"
	RolePrescriber = "PRESCRIBER"
)

// Clinician is the stored record of a member of a clinic, or of an invite that nobody accepted yet: then UserID is absent
// and InviteID is set.
type Clinician struct {
	ID               bson.ObjectID `bson:"_id,omitempty"`
	ClinicID         bson.ObjectID `bson:"clinicId"`
	UserID           *string       `bson:"userId,omitempty"`
	InviteID         *string       `bson:"inviteId,omitempty"`
	Email            *string       `bson:"email,omitempty"` // absent for service accounts
	Name             *string       `bson:"name"`            // null when unknown
	Roles            []string      `bson:"roles"`
	RolesUpdates     []RolesUpdate `bson:"rolesUpdates,omitempty"` // oldest first
	IsServiceAccount bool          `bson:"isServiceAccount,omitempty"`
	CreatedTime      time.Time     `bson:"createdTime"`
	UpdatedTime      time.Time     `bson:"updatedTime"`
}

// RolesUpdate says which roles a member was given, and by whom. A worker mails the member when one is added.
type RolesUpdate struct {
	Roles     []string `bson:"roles"`
	UpdatedBy string   `bson:"updatedBy"`
}

// HasRole reports whether the member has the role.
func (c *Clinician) HasRole(role string) bool { return slices.Contains(c.Roles, role) }
