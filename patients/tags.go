package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
)

// AssignTag puts the tag on those of the patients who lack it. Whether the clinic has such a tag is not checked. That there
// is no such clinic or patient is no error. If they are many, it returns after AnswerTime at the latest, and Run does the rest.
func (s *Service) AssignTag(ctx context.Context, clinicID, tagID bson.ObjectID, who Selection) error {
	return s.changeTag(ctx, tagChange{ClinicID: clinicID, TagID: tagID}, who)
}

// RemoveTag takes the tag off those of the patients who have it, under the terms of AssignTag.
func (s *Service) RemoveTag(ctx context.Context, clinicID, tagID bson.ObjectID, who Selection) error {
	return s.changeTag(ctx, tagChange{ClinicID: clinicID, TagID: tagID, Remove: true}, who)
}

// DeleteTag takes a tag out of the clinic, as clinics.Service.DeleteTag does. Patients who were still to get the tag do not get
// it. A request that takes it off everybody waits for the last of those who did.
func (s *Service) DeleteTag(ctx context.Context, clinicID, tagID bson.ObjectID) error {
	if err := s.cancelAssignments(ctx, clinicID, tagID); err != nil {
		return err
	}
	return s.clinics.DeleteTag(ctx, clinicID, tagID)
}

// changeTag makes the change at once if it is about few patients. It is written down and made in the background if it is about
// many, or if another change of the tag is: what was asked for last has to be done last.
func (s *Service) changeTag(ctx context.Context, c tagChange, who Selection) error {
	if !who.everyone {
		c.UserIDs = append([]string{}, who.userIDs...)
	}
	later, err := s.hasToWait(ctx, &c)
	if err != nil {
		return err
	}
	if later {
		return s.acceptTagChange(ctx, &c)
	}
	return s.census.Change(ctx, c.ClinicID, func(ctx context.Context) (census.Count, error) {
		return s.makeTagChange(ctx, &c, c.who())
	})
}

// makeTagChange makes the change in those of the patients who need it, and returns the difference for the census.
func (s *Service) makeTagChange(ctx context.Context, c *tagChange, who bson.D) (census.Count, error) {
	var n int
	var err error
	if c.Remove {
		n, err = s.pullTag(ctx, who, c.TagID)
		n = -n
	} else {
		n, err = s.addTag(ctx, who, c.TagID)
	}
	return census.Count{Groups: census.Groups{Tags: counted(c.TagID, n)}}, err
}

// counted returns the part of a census that is about one tag or site.
func counted(id bson.ObjectID, n int) map[bson.ObjectID]int {
	if n == 0 {
		return nil
	}
	return map[bson.ObjectID]int{id: n}
}
