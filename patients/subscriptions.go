package patients

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

// The names of the subscriptions that a patient can have.
const (
	SummaryAndReports = "summaryAndReports" // of Redox
	XealthReports     = "xealthReports"
)

// SubscriptionChange is what an order does to a subscription.
type SubscriptionChange struct {
	Name     string // SummaryAndReports or XealthReports
	Provider string // clinics.ProviderRedox or clinics.ProviderXealth
	Active   bool
	Order    MatchedMessage
}

// ErrContested tells that a patient changed again and again while a subscription was to be written. Repeating the request
// helps.
var ErrContested = errs.Because("changed_concurrently", errs.Conflictf("the patient changed too often"))

// subscriptionAttempts bounds how often a change of a subscription is tried again because another write came first.
const subscriptionAttempts = 10

// Subscriptions are what the patients of clinics are subscribed to for health records.
type Subscriptions struct {
	database   *store.Database
	collection *mongo.Collection
}

// NewSubscriptions returns those of the patients of the database.
func NewSubscriptions(d *store.Database) *Subscriptions {
	return &Subscriptions{database: d, collection: d.Collection(CollectionName)}
}

// ChangeSubscription applies an order to a subscription of the patient, making it if there is none. An order acts once: if
// it is among the matched messages already, nothing is written, whatever it asks for.
//
// It returns ErrNotFound if the clinic has no such patient, and ErrContested.
func (s *Subscriptions) ChangeSubscription(ctx context.Context, clinicID bson.ObjectID, userID string, change SubscriptionChange) error {
	audit.Patient(ctx, clinicID, userID)
	for range subscriptionAttempts {
		read, err := s.readSubscriptions(ctx, clinicID, userID)
		if err != nil {
			return err
		}
		done, err := s.writeSubscription(ctx, read, change)
		if done || err != nil {
			return err
		}
	}
	return ErrContested
}

// subscriptions is the part of a patient that a change of a subscription reads, and by which it notices another write. The
// raw values tell absent from null and keep what an older writer stored.
type subscriptions struct {
	ID            bson.ObjectID              `bson:"_id"`
	UpdatedTime   *time.Time                 `bson:"updatedTime"`
	Raw           bson.RawValue              `bson:"-"`
	Subscriptions map[string]EHRSubscription `bson:"ehrSubscriptions"`
}

func (s *Subscriptions) readSubscriptions(ctx context.Context, clinicID bson.ObjectID, userID string) (subscriptions, error) {
	raw, err := s.collection.FindOne(ctx,
		bson.D{{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: userID}},
		options.FindOne().SetProjection(store.Ascending("updatedTime", "ehrSubscriptions")),
	).Raw()
	if err != nil {
		return subscriptions{}, store.OneOf(err, ErrNotFound, nil)
	}
	var read subscriptions
	if err := s.database.Unmarshal(raw, &read); err != nil {
		return subscriptions{}, err
	}
	read.Raw = raw.Lookup("ehrSubscriptions")
	return read, nil
}

// writeSubscription reports whether the change is done, which it also is if there is nothing to do.
func (s *Subscriptions) writeSubscription(ctx context.Context, read subscriptions, change SubscriptionChange) (bool, error) {
	now := store.Now()
	changed, needed := change.apply(read.Subscriptions, now)
	if !needed {
		return true, nil
	}
	// A time alone is no proof that nothing happened since: two writes can fall into the same millisecond.
	filter := bson.D{{Key: "_id", Value: read.ID}, {Key: "updatedTime", Value: read.UpdatedTime}, {Key: "ehrSubscriptions", Value: nil}}
	if !read.Raw.IsZero() {
		filter[2].Value = read.Raw
	}
	result, err := s.collection.UpdateOne(ctx, filter, bson.D{{Key: "$set", Value: bson.D{
		{Key: "ehrSubscriptions", Value: changed},
		{Key: "updatedTime", Value: now},
	}}})
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

// apply returns the subscriptions after the change, and false if the order acted before.
func (c SubscriptionChange) apply(all map[string]EHRSubscription, now time.Time) (map[string]EHRSubscription, bool) {
	subscription, exists := all[c.Name]
	if slices.ContainsFunc(subscription.MatchedMessages, func(m MatchedMessage) bool { return m.ID == c.Order.ID }) {
		return nil, false
	}
	if !exists {
		subscription.CreatedAt = now
	}
	subscription.Active, subscription.Provider, subscription.UpdatedAt = c.Active, c.Provider, now
	subscription.MatchedMessages = append(slices.Clone(subscription.MatchedMessages), c.Order)
	changed := maps.Clone(all)
	if changed == nil {
		changed = map[string]EHRSubscription{}
	}
	changed[c.Name] = subscription
	return changed, true
}
