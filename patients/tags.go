package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

// AssignTag puts the tag on those of the patients who lack it. Whether the clinic has such a tag is not checked. That there
// is no such clinic or patient is no error.
func (g *Groups) AssignTag(ctx context.Context, clinicID, tagID bson.ObjectID, who Selection) error {
	return g.census.Track(ctx, clinicID, func(ctx context.Context) (clinics.Census, error) {
		n, err := g.addTag(ctx, who.in(clinicID), tagID)
		return clinics.Census{Tags: counted(tagID, n)}, err
	})
}

// RemoveTag takes the tag off those of the patients who have it, under the terms of AssignTag.
func (g *Groups) RemoveTag(ctx context.Context, clinicID, tagID bson.ObjectID, who Selection) error {
	return g.census.Track(ctx, clinicID, func(ctx context.Context) (clinics.Census, error) {
		n, err := g.pullTag(ctx, who.in(clinicID), tagID)
		return clinics.Census{Tags: counted(tagID, -n)}, err
	})
}

// counted returns the part of a census that is about one tag or site.
func counted(id bson.ObjectID, n int) map[bson.ObjectID]int {
	if n == 0 {
		return nil
	}
	return map[bson.ObjectID]int{id: n}
}
