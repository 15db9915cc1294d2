package clinics

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// Tag returns the tag of the clinic, or nil.
func (c *Clinic) Tag(id bson.ObjectID) *PatientTag {
	if i := slices.IndexFunc(c.PatientTags, func(tag PatientTag) bool { return tag.ID == id }); i >= 0 {
		return &c.PatientTags[i]
	}
	return nil
}

// hasTagName reports whether a tag other than that with the given id has the name.
func (c *Clinic) hasTagName(name string, except bson.ObjectID) bool {
	return slices.ContainsFunc(c.PatientTags, func(tag PatientTag) bool { return tag.ID != except && SameTagName(tag.Name, name) })
}

// CreateTag adds a tag to the clinic. It returns ErrTooManyTags, ErrDuplicateTag or ErrNotFound.
func (s *Service) CreateTag(ctx context.Context, id bson.ObjectID, name string) (PatientTag, error) {
	tag := PatientTag{ID: store.NewID(ctx), Name: strings.TrimSpace(name)}
	err := s.edit(ctx, id, "patientTags", func(clinic *Clinic, stored list) (bson.D, error) {
		if clinic.Tag(tag.ID) != nil {
			return nil, errMade
		}
		if len(clinic.PatientTags) >= MaxTags {
			return nil, ErrTooManyTags
		}
		if clinic.hasTagName(tag.Name, tag.ID) {
			return nil, ErrDuplicateTag
		}
		return stored.push(tag), nil
	})
	return tag, unlessMade(err)
}

// RenameTag changes the name of a tag. It returns ErrDuplicateTag if another tag has the name, ErrTagNotFound or
// ErrNotFound.
func (s *Service) RenameTag(ctx context.Context, id, tagID bson.ObjectID, name string) error {
	name = strings.TrimSpace(name)
	return s.edit(ctx, id, "patientTags", func(clinic *Clinic, _ list) (bson.D, error) {
		if clinic.hasTagName(name, tagID) {
			return nil, ErrDuplicateTag
		}
		i := slices.IndexFunc(clinic.PatientTags, func(tag PatientTag) bool { return tag.ID == tagID })
		if i < 0 {
			return nil, ErrTagNotFound
		}
		return bson.D{{Key: "$set", Value: bson.D{{Key: "patientTags." + strconv.Itoa(i) + ".name", Value: name}}}}, nil
	})
}

// DeleteTag takes a tag out of the clinic; that it has no such tag is no error. The patients keep the tag: a worker sees
// lastDeletedPatientTag change and takes it off them. The census forgets the tag at once. It returns ErrNotFound if there is no such clinic.
func (s *Service) DeleteTag(ctx context.Context, id, tagID bson.ObjectID) error {
	remember := bson.E{Key: "$set", Value: bson.D{{Key: "lastDeletedPatientTag", Value: tagID}}}
	for _, deletion := range []struct {
		of     bson.D
		update bson.D
	}{
		{bson.D{{Key: "_id", Value: id}, {Key: "patientTags._id", Value: tagID}}, bson.D{pull("patientTags", bson.D{{Key: "_id", Value: tagID}}), remember}},
		{byID(id), bson.D{remember}},
	} {
		result, err := s.collection.UpdateOne(ctx, deletion.of, touched(deletion.update))
		if err != nil {
			return err
		}
		if result.MatchedCount == 1 {
			return s.census.ForgetGroup(ctx, id, tagID)
		}
	}
	return ErrNotFound
}
