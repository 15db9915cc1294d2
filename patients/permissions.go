package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// ErrPermissionNotFound tells that the patient did not grant the permission, or is no patient of the clinic.
var ErrPermissionNotFound = errs.Because("permission_not_found", errs.New(errs.NotFound, "permission not found"))

// isEmpty reports whether nothing is granted.
func (p *Permissions) isEmpty() bool { return p == nil || *p == Permissions{} }

// get returns the permission of that name as it is stored: nil if it is not granted.
func (p *Permissions) get(name string) *Grant {
	if p == nil {
		return nil
	}
	return map[string]*Grant{"custodian": p.Custodian, "view": p.View, "upload": p.Upload, "note": p.Note}[name]
}

// ReplacePermissions sets what the patient grants to the clinic and returns it. The patient decides, so that the clinic
// stops being custodian in any case. Without any permission the patient is removed from the clinic, with a record that
// says what was granted until then, and nil is returned. The error is ErrNotFound if there is no such patient.
func (s *Service) ReplacePermissions(ctx context.Context, clinicID bson.ObjectID, userID string, granted Permissions) (*Permissions, error) {
	granted.Custodian = nil
	if granted.isEmpty() {
		return nil, s.Remove(ctx, clinicID, userID, &userID)
	}
	return s.changePermissions(ctx, patientKey(clinicID, userID), bson.D{{Key: "$set", Value: bson.D{
		{Key: "permissions", Value: granted},
		{Key: "updatedTime", Value: store.Now()},
	}}})
}

// RevokePermission takes one permission away: custodian, view, upload or note. If it was the last, the patient is removed
// from the clinic, with a record that says that nothing is granted and names the patient as the one who did it. The error
// is ErrPermissionNotFound if the permission was not granted.
func (s *Service) RevokePermission(ctx context.Context, clinicID bson.ObjectID, userID, permission string) error {
	last, err := s.isLastPermission(ctx, clinicID, userID, permission)
	if err != nil {
		return err
	}
	if last {
		// Not in two steps, between which a record without permissions would be left behind.
		return s.removeWithoutPermissions(ctx, clinicID, userID)
	}
	path := "permissions." + permission
	left, err := s.changePermissions(ctx,
		append(patientKey(clinicID, userID), bson.E{Key: path, Value: bson.D{{Key: "$ne", Value: nil}}}),
		bson.D{
			{Key: "$unset", Value: bson.D{{Key: path, Value: ""}}},
			{Key: "$set", Value: bson.D{{Key: "updatedTime", Value: store.Now()}}},
		})
	if errs.Is(err, errs.NotFound) {
		return ErrPermissionNotFound
	}
	if err == nil && left.isEmpty() { // the others were revoked at the same time
		return s.removeWithoutPermissions(ctx, clinicID, userID)
	}
	return err
}

func (s *Service) isLastPermission(ctx context.Context, clinicID bson.ObjectID, userID, permission string) (bool, error) {
	var patient Patient
	err := s.collection.FindOne(ctx, patientKey(clinicID, userID), options.FindOne().SetProjection(permissionsOnly)).Decode(&patient)
	if err != nil {
		return false, store.OneOf(err, ErrPermissionNotFound, nil)
	}
	if patient.Permissions.get(permission) == nil {
		return false, ErrPermissionNotFound
	}
	granted := 0
	for _, name := range []string{"custodian", "view", "upload", "note"} {
		if patient.Permissions.get(name) != nil {
			granted++
		}
	}
	return granted == 1, nil
}

var permissionsOnly = bson.D{{Key: "_id", Value: 0}, {Key: "permissions", Value: 1}}

func (s *Service) changePermissions(ctx context.Context, filter, update bson.D) (*Permissions, error) {
	var patient Patient
	err := s.collection.FindOneAndUpdate(ctx, filter, update,
		options.FindOneAndUpdate().SetReturnDocument(options.After).SetProjection(permissionsOnly)).Decode(&patient)
	if err != nil {
		return nil, store.OneOf(err, ErrNotFound, nil)
	}
	return patient.Permissions, nil
}

// removeWithoutPermissions removes a patient whose last permission is gone. If another request did that already, all is
// well.
func (s *Service) removeWithoutPermissions(ctx context.Context, clinicID bson.ObjectID, userID string) error {
	err := s.remove(ctx, clinicID, userID, &userID, func(stored bson.Raw) (bson.Raw, error) {
		fields, err := stored.Elements()
		if err != nil {
			return nil, err
		}
		record := make(bson.D, 0, len(fields))
		for _, field := range fields {
			value := any(field.Value())
			if field.Key() == "permissions" {
				value = bson.D{}
			}
			record = append(record, bson.E{Key: field.Key(), Value: value})
		}
		return bson.Marshal(record)
	})
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
