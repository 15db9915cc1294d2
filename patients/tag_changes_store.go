package patients

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// tagChangesCollection holds the changes of a tag of many patients that are not complete. No other service reads it.
const tagChangesCollection = "tag_changes"

// tagChange says that patients of a clinic get a tag, or lose it.
type tagChange struct {
	ID       bson.ObjectID `bson:"_id"`
	ClinicID bson.ObjectID `bson:"clinicId"`
	TagID    bson.ObjectID `bson:"tagId"`
	Remove   bool          `bson:"remove"`
	UserIDs  []string      `bson:"userIds"` // null means everybody
	// Until is the greatest id of a record when the change was asked for: who came later is not meant. It is zero for a change
	// that was canceled.
	Until bson.ObjectID `bson:"until"`
	// Done is up to which id of a record the change is made.
	Done bson.ObjectID `bson:"done"`
	Time time.Time     `bson:"time"` // when it was asked for, by the clock of the database
}

func tagChangeIndexes() store.Indexes {
	return store.Indexes{Collection: tagChangesCollection, Indexes: []store.Index{
		{Name: "TagChangesOfClinic", Keys: store.Ascending("clinicId", "time")},
	}}
}

// who returns the patients who are meant, whether they need the change or not.
func (c *tagChange) who() bson.D {
	if c.UserIDs == nil {
		return Everyone().in(c.ClinicID)
	}
	return Only(c.UserIDs).in(c.ClinicID)
}

// needing returns those of the patients who need the change.
func (c *tagChange) needing() bson.D {
	if c.Remove {
		return withTag(c.who(), c.TagID)
	}
	return withoutTag(c.who(), c.TagID)
}

// left returns those of them who are still to be changed.
func (c *tagChange) left() bson.D {
	return and(c.needing(), bson.E{Key: "_id", Value: bson.D{{Key: "$gt", Value: c.Done}, {Key: "$lte", Value: c.Until}}})
}

// hasTagChange reports whether a change that matches is not complete.
func (s *Service) hasTagChange(ctx context.Context, which bson.D) (bool, error) {
	n, err := s.tagChanges.CountDocuments(ctx, which, options.Count().SetLimit(1))
	return n > 0, err
}

// insertTagChange stores the change, unless the clinic has no patients, and reports whether it did.
func (s *Service) insertTagChange(ctx context.Context, c *tagChange) (bool, error) {
	var newest struct {
		ID bson.ObjectID `bson:"_id"`
	}
	err := s.collection.FindOne(ctx, ofClinic(c.ClinicID),
		options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}}).SetProjection(store.Ascending("_id"))).Decode(&newest)
	if store.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if c.Time, err = s.database.ServerTime(ctx); err != nil {
		return false, err
	}
	c.ID, c.Until = bson.NewObjectID(), newest.ID
	_, err = s.tagChanges.InsertOne(ctx, c)
	return err == nil, err
}

// nextTagChange returns the change of the clinic that was asked for first, or nil.
func (s *Service) nextTagChange(ctx context.Context, clinicID bson.ObjectID) (*tagChange, error) {
	var c tagChange
	err := s.tagChanges.FindOne(ctx, ofClinic(clinicID), options.FindOne().SetSort(store.Ascending("time", "_id"))).Decode(&c)
	if store.IsNotFound(err) {
		return nil, nil // none is no error
	}
	return &c, err
}

// markTagChange stores up to where the change is made. It returns errCanceled if the change was canceled.
func (s *Service) markTagChange(ctx context.Context, c *tagChange, done bson.ObjectID) error {
	result, err := s.tagChanges.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: c.ID}, {Key: "until", Value: c.Until}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "done", Value: done}}}})
	if err == nil && result.MatchedCount == 0 {
		err = errCanceled
	}
	return err
}

func (s *Service) removeTagChange(ctx context.Context, c *tagChange) error {
	_, err := s.tagChanges.DeleteOne(ctx, bson.D{{Key: "_id", Value: c.ID}})
	return err
}

// cancelAssignments lets nobody get the tag any more by a change that is not complete. The changes themselves stay until the
// last write of theirs must have ended, so that who takes the tag off everybody comes after it.
func (s *Service) cancelAssignments(ctx context.Context, clinicID, tagID bson.ObjectID) error {
	assignments := bson.D{{Key: "clinicId", Value: clinicID}, {Key: "tagId", Value: tagID}, {Key: "remove", Value: false}}
	if some, err := s.hasTagChange(ctx, assignments); err != nil || !some {
		return err
	}
	_, err := s.tagChanges.UpdateMany(ctx, assignments, bson.D{{Key: "$set", Value: bson.D{{Key: "until", Value: bson.NilObjectID}}}})
	return err
}

// clinicsWithTagChanges returns the clinics with changes that are not complete.
func (s *Service) clinicsWithTagChanges(ctx context.Context) ([]bson.ObjectID, error) {
	var ids []bson.ObjectID
	err := s.tagChanges.Distinct(ctx, "clinicId", bson.D{}).Decode(&ids)
	return ids, err
}

// TagBacklog returns how many changes of a tag of many patients are not complete, and the age of the oldest, 0 without any.
func (s *Service) TagBacklog(ctx context.Context) (changes int64, oldest time.Duration, err error) {
	return s.database.Backlog(ctx, s.tagChanges)
}
