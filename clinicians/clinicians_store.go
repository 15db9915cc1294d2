package clinicians

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/store"
)

// Indexes returns the indexes of the collections of this package. COMPAT: deployed databases have those up to
// CliniciansByCreatedTime under these names and keys, although ClinicianByRole names a field that does not exist; the ones
// after them are what queries really use. They also have ClinicianSearch, an index of texts, which is left alone where it is
// and made nowhere: no query uses it, and not every engine can have one.
func Indexes() []store.Indexes {
	exists := func(field string) bson.D { return bson.D{{Key: field, Value: bson.D{{Key: "$exists", Value: true}}}} }
	return []store.Indexes{
		{Collection: CollectionName, Indexes: []store.Index{
			{Name: "UniqueClinicianUserId", Keys: store.Ascending("clinicId", "userId"), Unique: true, Partial: exists("userId")},
			{Name: "UniqueInviteId", Keys: store.Ascending("clinicId", "inviteId"), Unique: true, Partial: exists("inviteId")},
			{Name: "UniqueClinicMemberEmail", Keys: store.Ascending("clinicId", "email"), Unique: true, Partial: exists("email")},
			{Name: "ClinicianByRole", Keys: store.Ascending("clinicId", "role"), Old: true},
			{Name: "CliniciansByCreatedTime", Keys: store.Ascending("createdTime")},
			{Name: "ClinicianByUserId", Keys: bson.D{{Key: "userId", Value: 1}, {Key: "createdTime", Value: -1}}},
			{Name: "ClinicianByClinic", Keys: bson.D{{Key: "clinicId", Value: 1}, {Key: "createdTime", Value: -1}}},
			{Name: "ClinicianByRoles", Keys: store.Ascending("clinicId", "roles")},
		}},
		{Collection: "clinician_deletions", Indexes: []store.Index{
			store.DeletionIndex(),
			{Name: "ClinicianDeletion", Keys: store.Ascending("clinician.clinicId,userId")},
			{Name: "DeletedTime", Keys: store.Ascending("deletedTime", "clinician.clinicId,userId")},
			{Name: "ClinicianDeletionByMember", Keys: store.Ascending("clinician.clinicId", "clinician.userId")},
			{Name: "ClinicianDeletionByTime", Keys: store.Ascending("deletedTime")},
		}},
	}
}

// Membership returns what the user is in the clinic. A user without a record there, or with none of the roles that grant
// something, is neither member nor admin.
func (s *Service) Membership(ctx context.Context, clinicID bson.ObjectID, userID string) (auth.Membership, error) {
	var member Clinician
	err := s.collection.FindOne(ctx,
		bson.D{{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: userID}},
		options.FindOne().SetProjection(bson.D{{Key: "roles", Value: 1}}),
	).Decode(&member)
	if store.IsNotFound(err) {
		return auth.Membership{}, nil
	}
	return auth.Membership{Member: member.HasRole(RoleMember), Admin: member.HasRole(RoleAdmin)}, err
}
