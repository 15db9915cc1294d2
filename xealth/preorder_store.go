package xealth

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// preorderRetention is how long names and addresses of a form are kept. The order follows within days; what was entered is
// not needed once the patient was added.
const preorderRetention = 180 * 24 * time.Hour

// preorders stores what was entered into forms until the order arrives.
type preorders struct{ collection *mongo.Collection }

// save stores the submission. It replaces one with the same tracking id: somebody who submits twice means the second.
func (p preorders) save(ctx context.Context, trackingID string, data Submission) error {
	document := struct {
		TrackingID  string    `bson:"dataTrackingId"`
		CreatedTime time.Time `bson:"createdTime"`
		Submission  `bson:",inline"`
	}{trackingID, store.Now(), data}
	_, err := p.collection.InsertOne(ctx, document)
	if store.IsDuplicate(err) {
		_, err = p.collection.ReplaceOne(ctx, byTrackingID(trackingID), document)
	}
	return err
}

var errPreorderNotFound = errs.Because("preorder_not_found", errs.NotFoundf("preorder data not found"))

// get returns the submission, or errPreorderNotFound.
func (p preorders) get(ctx context.Context, trackingID string) (Submission, error) {
	var data Submission
	err := p.collection.FindOne(ctx, byTrackingID(trackingID)).Decode(&data)
	return data, store.OneOf(err, errPreorderNotFound, nil)
}

func byTrackingID(id string) bson.D { return bson.D{{Key: "dataTrackingId", Value: id}} }
