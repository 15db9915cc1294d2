package merge

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// Redirects tells where new patients and members of a clinic belong that is being merged into another one, or was.
type Redirects struct {
	merges *mongo.Collection
	plans  *mongo.Collection
}

// NewRedirects returns the redirects of the clinics of the database. They need nothing but the database, so that what
// a Service needs may need them.
func NewRedirects(d *store.Database) *Redirects {
	return &Redirects{merges: d.Collection(OpenMergesCollectionName), plans: d.Collection(PlansCollectionName)}
}

// InProgress returns the clinic into which the clinic is being merged, or nil if it is not the source of a merge that has
// begun to change anything. What is stored in the source after that answer is moved by the merge, or, if the merge ends
// first, MergedInto says where it belongs.
func (r *Redirects) InProgress(ctx context.Context, clinicID bson.ObjectID) (*bson.ObjectID, error) {
	var merge openMerge
	err := r.merges.FindOne(ctx, bson.D{{Key: "clinics", Value: clinicID}, {Key: "sourceId", Value: clinicID}},
		options.FindOne().SetProjection(bson.D{{Key: "targetId", Value: 1}, {Key: "state", Value: 1}, {Key: "replanned", Value: 1}})).Decode(&merge)
	if store.IsNotFound(err) || (err == nil && !merge.leavesTraces()) {
		return nil, nil // no merge is no error
	}
	if err != nil {
		return nil, err
	}
	return &merge.TargetID, nil
}

// MergedInto returns the clinic into which the clinic is being merged or was merged, or nil. A writer that stores something
// in a clinic and then does not find the clinic any more asks here. That the returned clinic was merged away as well is
// possible.
func (r *Redirects) MergedInto(ctx context.Context, clinicID bson.ObjectID) (*bson.ObjectID, error) {
	target, err := r.InProgress(ctx, clinicID)
	if target != nil || err != nil {
		return target, err
	}
	var closing struct {
		Plan struct {
			Target struct {
				ID bson.ObjectID `bson:"_id"`
			} `bson:"target"`
		} `bson:"plan"`
	}
	err = r.plans.FindOne(ctx, bson.D{{Key: "plan.source._id", Value: clinicID}, {Key: "type", Value: KindClinic}},
		options.FindOne().SetProjection(bson.D{{Key: "plan.target._id", Value: 1}})).Decode(&closing)
	if store.IsNotFound(err) {
		return nil, nil // no merge is no error
	}
	if err != nil {
		return nil, err
	}
	return &closing.Plan.Target.ID, nil
}
