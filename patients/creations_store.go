package patients

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/store"
)

const (
	// creationsCollection holds what is about patients whose account is being made. No other service reads it.
	creationsCollection = "patient_creations"
	// creationRetention is when the database forgets creations that were cut off, in seconds.
	creationRetention = 30 * 24 * 60 * 60
	// creationTime is how long a request can be at work on one; then it was cut off.
	creationTime = finishTime + 5*time.Second
)

// creation says that an account is being made for a patient of a clinic, who is not there yet. Of the address it holds a hash.
type creation struct {
	ID       string        `bson:"_id"`
	ClinicID bson.ObjectID `bson:"clinicId"`
	Address  string        `bson:"address"`
	Time     time.Time     `bson:"time"`   // by the clock of the database
	CutOff   bool          `bson:"cutOff"` // the request gave up after the account may have been made

	earlier *creation // what the request before left
}

// isRepeat reports whether an earlier request for the same patient did not end well.
func (c creation) isRepeat() bool { return c.earlier != nil }

func creationIndexes() store.Indexes {
	return store.Indexes{Collection: creationsCollection, Indexes: []store.Index{
		{Name: "CreationsByAddress", Keys: store.Ascending("address")},
		{Name: "CreationsByTime", Keys: store.Ascending("time"), ExpireSeconds: creationRetention},
	}}
}

// beginCreation writes down that an account is about to be made. There is nothing to write for a patient without an address,
// whose account nobody could find again.
func (s *Service) beginCreation(ctx context.Context, clinicID bson.ObjectID, email string) (creation, error) {
	if email == "" {
		return creation{}, nil
	}
	now, err := s.database.ServerTime(ctx)
	if err != nil {
		return creation{}, err
	}
	sum := sha256.Sum256([]byte(strings.ToLower(email)))
	c := creation{ClinicID: clinicID, Address: base64.RawURLEncoding.EncodeToString(sum[:]), Time: now}
	c.ID = clinicID.Hex() + "/" + c.Address
	update := bson.D{{Key: "$set", Value: bson.D{
		{Key: "clinicId", Value: clinicID}, {Key: "address", Value: c.Address}, {Key: "time", Value: now}, {Key: "cutOff", Value: false},
	}}}
	for range 2 {
		var earlier creation
		err = s.creations.FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: c.ID}}, update, options.FindOneAndUpdate().SetUpsert(true)).Decode(&earlier)
		if store.IsNotFound(err) {
			return c, nil
		}
		if err == nil {
			c.earlier = &earlier
			return c, nil
		}
		if !store.IsDuplicate(err) {
			break // otherwise another request came first, and is found now
		}
	}
	return c, err
}

// endCreation removes what beginCreation wrote, or, after an error that left an account without a patient, keeps it for a
// repeat. That it cannot be removed is no error: the database does so.
func (s *Service) endCreation(ctx context.Context, c creation, cause error) {
	if c.ID == "" {
		return
	}
	var err error
	if cause == nil {
		_, err = s.creations.DeleteOne(ctx, bson.D{{Key: "_id", Value: c.ID}})
	} else {
		_, err = s.creations.UpdateOne(ctx, bson.D{{Key: "_id", Value: c.ID}}, bson.D{{Key: "$set", Value: bson.D{{Key: "cutOff", Value: true}}}})
	}
	if err != nil {
		s.log.Warn("what is known of the creation of a patient could not be updated", zap.Stringer("clinicId", c.ClinicID), zap.Error(err))
	}
}

// creationState is how the request before this one stands.
type creationState int

const (
	underWay creationState = iota
	endedWell
	cutOff
)

// stateOf returns how the request before this one stands. If another clinic makes an account for the same address, nobody knows
// whose it is, and that counts as ended.
func (s *Service) stateOf(ctx context.Context, c creation) (creationState, error) {
	all, err := s.creationsFor(ctx, c.Address)
	if err != nil {
		return underWay, err
	}
	now, err := s.database.ServerTime(ctx)
	switch {
	case err != nil:
		return underWay, err
	case len(all) != 1 || all[0].ID != c.ID:
		return endedWell, nil
	case c.earlier.CutOff || all[0].CutOff || now.Sub(c.earlier.Time) > creationTime:
		return cutOff, nil
	default:
		return underWay, nil
	}
}

func (s *Service) creationsFor(ctx context.Context, address string) ([]creation, error) {
	cursor, err := s.creations.Find(ctx, bson.D{{Key: "address", Value: address}}, options.Find().SetLimit(2))
	if err != nil {
		return nil, err
	}
	var all []creation
	return all, cursor.All(ctx, &all)
}
