package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

const (
	// CollectionName is the collection of keys. No other service reads it.
	CollectionName = "idempotency_keys"
	// retention is how long a key is remembered, in seconds.
	retention = 24 * 60 * 60
	// leaseKind is what the work under a key is called among the leases.
	leaseKind = "idempotency"
	// endTime bounds what is written about a request whose caller may have gone.
	endTime = 5 * time.Second
	// maxLength is how long a key may be.
	maxLength = 255
)

// The errors that keys lead to.
var (
	ErrForm   = errs.Because("idempotency_key_invalid", errs.BadRequestf("an Idempotency-Key has 1 to 255 visible characters of ASCII"))
	ErrReused = errs.Because("idempotency_key_reused", errs.Conflictf("the Idempotency-Key was sent with another request"))
	ErrInUse  = errs.Because("idempotency_key_in_use", errs.Conflictf("a request with this Idempotency-Key is under way; repeat it later"))
)

// Keys are the keys of all callers.
type Keys struct {
	database   *store.Database
	collection *mongo.Collection
	leases     *store.Leases
	log        *zap.Logger
}

// NewKeys returns the keys that the database has.
func NewKeys(d *store.Database, leases *store.Leases, log *zap.Logger) *Keys {
	return &Keys{database: d, collection: d.Collection(CollectionName), leases: leases, log: log}
}

// Indexes returns the index that makes the database forget keys.
func Indexes() []store.Indexes {
	return []store.Indexes{{Collection: CollectionName, Indexes: []store.Index{
		{Name: "KeysByTime", Keys: store.Ascending("time"), ExpireSeconds: retention},
	}}}
}

// Request is a request with a key.
type Request struct {
	Caller    string // distinguishes users and services
	Operation string
	Key       string
	Content   []byte // all that makes it this request; a hash of it is kept
}

// document is what is stored of a request, before the work.
type document struct {
	ID      string        `bson:"_id"`
	Content string        `bson:"content"`
	Made    bson.ObjectID `bson:"made"`
	Time    time.Time     `bson:"time"`   // by the clock of the database
	Status  int           `bson:"status"` // of the answer, 0 while there is none
}

func (r Request) document(now time.Time) document {
	return document{ID: hash(r.Caller, r.Operation, r.Key), Content: hash(string(r.Content)), Made: bson.NewObjectID(), Time: now}
}

// hash tells lists of texts apart, whatever is in them.
func hash(texts ...string) string {
	sum := sha256.New()
	for _, text := range texts {
		sum.Write([]byte(strconv.Itoa(len(text)) + ":" + text))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Turn is the right to work under a key. Keep, Forget or Leave ends it.
type Turn struct {
	keys  *Keys
	key   document
	lease *store.Lease // nil if there is nothing to be done
	// Status is that of the answer, if the work is done; otherwise 0.
	Status int
	// IsRepeat tells that an earlier request began with the work.
	IsRepeat bool
}

// Begin returns a turn, and a context for its work, which ends early if the turn is lost. It stores the key before that. If the
// work was done, the turn has nothing but a status. Errors are ErrForm, ErrReused for a key with another content, and ErrInUse
// while another request works under it, or may, because its process died some seconds ago.
func (k *Keys) Begin(ctx context.Context, r Request) (context.Context, *Turn, error) {
	if !isKey(r.Key) {
		return nil, nil, ErrForm
	}
	now, err := k.database.ServerTime(ctx)
	if err != nil {
		return nil, nil, err
	}
	wanted := r.document(now)
	if known, err := k.find(ctx, wanted.ID); err != nil || known != nil && (known.Status != 0 || known.Content != wanted.Content) {
		return k.finished(ctx, known, wanted, err)
	}
	working, lease, err := k.leases.Try(ctx, leaseKind, wanted.ID)
	if errors.Is(err, store.ErrLeaseHeld) {
		err = ErrInUse
	}
	if err != nil {
		return nil, nil, err
	}
	known, err := k.remember(working, wanted)
	if err != nil || known.Status != 0 || known.Content != wanted.Content {
		lease.Release()
		return k.finished(ctx, known, wanted, err)
	}
	turn := &Turn{keys: k, key: *known, lease: lease, IsRepeat: known.Made != wanted.Made}
	return store.WithPlan(working, turn.Plan()), turn, nil
}

// isKey reports whether the text may be a key.
func isKey(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return text != "" && len(text) <= maxLength
}

// finished returns a turn in which there is nothing to do.
func (k *Keys) finished(ctx context.Context, known *document, wanted document, err error) (context.Context, *Turn, error) {
	if err != nil {
		return nil, nil, err
	}
	if known.Content != wanted.Content {
		return nil, nil, ErrReused
	}
	turn := &Turn{keys: k, key: *known, Status: known.Status, IsRepeat: true}
	return store.WithPlan(ctx, turn.Plan()), turn, nil
}

// find returns nil for a key that is not known.
func (k *Keys) find(ctx context.Context, id string) (*document, error) {
	var found document
	err := k.collection.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&found)
	if store.IsNotFound(err) {
		return nil, nil
	}
	return &found, err
}

// remember stores the key, unless it is known, and returns what is stored.
func (k *Keys) remember(ctx context.Context, wanted document) (*document, error) {
	_, err := k.collection.InsertOne(ctx, wanted)
	if err == nil {
		return &wanted, nil
	}
	if !store.IsDuplicate(err) {
		return nil, err
	}
	var known document
	return &known, k.collection.FindOne(ctx, bson.D{{Key: "_id", Value: wanted.ID}}).Decode(&known)
}

// Plan returns what the work makes.
func (t *Turn) Plan() store.Plan { return store.Plan{ID: t.key.Made, Time: t.key.Time} }

// Keep ends a turn whose work is done: from now on, the key leads to its answer, which had this status.
func (t *Turn) Keep(ctx context.Context, status int) {
	t.end(ctx, func(ctx context.Context, mine bson.D) error {
		_, err := t.keys.collection.UpdateOne(ctx, mine, bson.D{{Key: "$set", Value: bson.D{{Key: "status", Value: status}}}})
		return err
	})
}

// Forget ends a turn in which nothing was made: a repeat begins anew.
func (t *Turn) Forget(ctx context.Context) {
	t.end(ctx, func(ctx context.Context, mine bson.D) error {
		_, err := t.keys.collection.DeleteOne(ctx, append(mine, bson.E{Key: "status", Value: 0}))
		return err
	})
}

// Leave ends a turn of which nobody knows what it made: a repeat goes on.
func (t *Turn) Leave(ctx context.Context) {
	t.end(ctx, func(context.Context, bson.D) error { return nil })
}

// end writes how the work ended and gives the lease back. That the former fails is no error: a repeat finds what was made.
func (t *Turn) end(ctx context.Context, write func(ctx context.Context, mine bson.D) error) {
	if t.lease == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if err := write(ctx, bson.D{{Key: "_id", Value: t.key.ID}, {Key: "made", Value: t.key.Made}}); err != nil {
		t.keys.log.Warn("how a request with a key ended could not be stored; a repeat finds out", zap.Error(err))
	}
	t.lease.Release() //nolint:contextcheck // it is given back although the caller left
	t.lease = nil
}
