package xealth

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// view says that a user of a health record looked at the report of a patient.
type view struct {
	UserID        string        `bson:"userId"` // of the health record
	Deployment    string        `bson:"deployment"`
	SystemLogin   *string       `bson:"systemLogin,omitempty"`
	PatientUserID string        `bson:"patientUserId"`
	ProgramID     string        `bson:"programId"`
	ClinicID      bson.ObjectID `bson:"clinicId"`
	CreatedTime   time.Time     `bson:"createdTime"`
}

// views stores every view of a report.
type views struct{ collection *mongo.Collection }

var errIncompleteView = errors.New("user, deployment, patient or program is missing")

// add stores a view that happens now.
func (v views) add(ctx context.Context, seen view) error {
	if seen.UserID == "" || seen.Deployment == "" || seen.PatientUserID == "" || seen.ProgramID == "" {
		return errIncompleteView
	}
	seen.CreatedTime = store.Now()
	_, err := v.collection.InsertOne(ctx, seen)
	return err
}

// last returns when the same user looked at the same report last. It is zero if that never happened or the user is not
// known.
func (v views) last(ctx context.Context, like view) (time.Time, error) {
	if like.UserID == "" {
		return time.Time{}, nil
	}
	var found view
	err := v.collection.FindOne(ctx, bson.D{
		{Key: "userId", Value: like.UserID},
		{Key: "deployment", Value: like.Deployment},
		{Key: "programId", Value: like.ProgramID},
		{Key: "clinicId", Value: like.ClinicID},
		{Key: "patientUserId", Value: like.PatientUserID},
	}, options.FindOne().SetSort(bson.D{{Key: "createdTime", Value: -1}}).SetProjection(bson.D{{Key: "createdTime", Value: 1}})).Decode(&found)
	if store.IsNotFound(err) {
		return time.Time{}, nil
	}
	return found.CreatedTime, err
}
