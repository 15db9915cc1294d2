package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
)

// AssignTag puts the tag on those of the patients who lack it. Whether the clinic has such a tag is not checked. That there
// is no such clinic or patient is no error.
func (s *Service) AssignTag(ctx context.Context, clinicID, tagID bson.ObjectID, who Selection) error {
	return s.changeMany(ctx, clinicID, who.in(clinicID), withoutTag(who.in(clinicID), tagID), func(ctx context.Context, who bson.D) (census.Count, error) {
		n, err := s.addTag(ctx, who, tagID)
		return census.Count{Groups: census.Groups{Tags: counted(tagID, n)}}, err
	})
}

// RemoveTag takes the tag off those of the patients who have it, under the terms of AssignTag.
func (s *Service) RemoveTag(ctx context.Context, clinicID, tagID bson.ObjectID, who Selection) error {
	return s.changeMany(ctx, clinicID, who.in(clinicID), withTag(who.in(clinicID), tagID), func(ctx context.Context, who bson.D) (census.Count, error) {
		n, err := s.pullTag(ctx, who, tagID)
		return census.Count{Groups: census.Groups{Tags: counted(tagID, -n)}}, err
	})
}

// counted returns the part of a census that is about one tag or site.
func counted(id bson.ObjectID, n int) map[bson.ObjectID]int {
	if n == 0 {
		return nil
	}
	return map[bson.ObjectID]int{id: n}
}
