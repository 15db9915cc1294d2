package feed

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

const (
	// mostFollowers bounds how many follow one replica: each has a cursor of the database.
	mostFollowers = 16
	// lifetime is how long one follows without asking again: credentials end, and replicas come and go.
	lifetime = 15 * time.Minute
	// heartbeat is how long a follower hears nothing; gateways give up after 15 seconds of silence.
	heartbeat = 5 * time.Second
	// await is how long the database waits for a change before it says that there is none.
	await = time.Second
)

var (
	errNoStream = errs.Because("events_unsupported", errs.Unsupportedf("the database has no change streams, from which events come"))
	errFull     = errs.Because("followers_full", errs.Unavailablef("as many follow this replica as may"))
	errEnding   = errs.Because("service_ending", errs.Unavailablef("this replica is about to end"))
	errLost     = errs.Because("token_expired", errs.Conflictf("what came after the token is no longer known: read anew what matters, and follow without a token"))
)

// Service lets others follow changes.
type Service struct {
	database *store.Database
	// Heartbeat is the longest silence, and Lifetime how long one follows without asking again.
	Heartbeat, Lifetime time.Duration

	mu        sync.Mutex
	ended     bool
	followers map[*Follower]bool
}

// NewService returns a feed of the changes in the database. It asks nobody before somebody follows.
func NewService(d *store.Database) *Service {
	return &Service{database: d, Heartbeat: heartbeat, Lifetime: lifetime, followers: map[*Follower]bool{}}
}

// Followers returns how many follow.
func (s *Service) Followers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.followers)
}

// End ends all followers, and takes no more.
func (s *Service) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for follower := range s.followers {
		follower.end()
	}
}

// Follower reads changes, one after the other. It is for one goroutine, and has to be closed.
type Follower struct {
	service *Service
	stream  *mongo.ChangeStream
	over    context.Context // ends with the follower
	end     context.CancelFunc
	limit   *time.Timer
}

// Follow begins to follow the changes after the token, or those from now on if it is "".
//
// Errors are of kind Unsupported if the database has no change streams, Unavailable if too many follow or the process is about
// to end, BadRequest if the token is none, and Conflict if it is too old.
func (s *Service) Follow(ctx context.Context, after string) (*Follower, error) {
	if !s.database.HasTransactions() { // an engine has both, or none
		return nil, errNoStream
	}
	o := options.ChangeStream().SetFullDocument(options.UpdateLookup).SetMaxAwaitTime(await)
	if after != "" {
		resume, err := resumeAfter(after)
		if err != nil {
			return nil, err
		}
		o.SetResumeAfter(resume)
	}
	// Not a deadline: it would take the place of the time that each operation of the database has.
	over, end := context.WithCancel(ctx)
	follower := &Follower{service: s, over: over, end: end, limit: time.AfterFunc(s.Lifetime, end)}
	if err := s.admit(follower); err != nil {
		follower.limit.Stop()
		follower.end()
		return nil, err
	}
	var err error
	if follower.stream, err = s.database.Watch(over, pipeline(), o); err != nil {
		follower.Close() //nolint:contextcheck // it is closed although the caller left
		return nil, opened(err)
	}
	return follower, nil
}

func (s *Service) admit(f *Follower) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return errEnding
	case len(s.followers) >= mostFollowers:
		return errFull
	}
	s.followers[f] = true
	return nil
}

// pipeline leaves out of events what is not looked at, such as whole messages of health records.
func pipeline() mongo.Pipeline {
	return mongo.Pipeline{
		{{Key: "$match", Value: bson.D{
			{Key: "ns.coll", Value: bson.D{{Key: "$in", Value: slices.Sorted(maps.Keys(kinds))}}},
			{Key: "operationType", Value: bson.D{{Key: "$in", Value: slices.Sorted(maps.Keys(operations))}}},
		}}},
		{{Key: "$project", Value: bson.D{
			{Key: "operationType", Value: 1}, {Key: "ns", Value: 1}, {Key: "documentKey", Value: 1}, {Key: "clusterTime", Value: 1},
			{Key: "wallTime", Value: 1}, {Key: "updateDescription", Value: 1},
			{Key: "fullDocument.clinicId", Value: 1}, {Key: "fullDocument.userId", Value: 1},
			{Key: "fullDocument.meta.DataModel", Value: 1}, {Key: "fullDocument.meta.EventType", Value: 1},
		}}},
	}
}

// The codes with which the database refuses a token, or to have streams at all.
const (
	codeInvalidToken = 260
	codeFatal        = 280
	codeHistoryLost  = 286
	codeNoStream     = 40573
)

func opened(err error) error {
	var refused mongo.ServerError
	if !errors.As(err, &refused) {
		return err
	}
	switch {
	case refused.HasErrorCode(codeNoStream):
		return errNoStream
	case refused.HasErrorCode(codeInvalidToken):
		return errToken
	case refused.HasErrorCode(codeHistoryLost), refused.HasErrorCode(codeFatal):
		return errLost
	default:
		return err
	}
}

// Token returns the token after which the next change comes, "" if the database has not said one.
func (f *Follower) Token() string {
	if resume := f.stream.ResumeToken(); resume != nil {
		return tokenOf(resume)
	}
	return ""
}

// Next waits for the next change. It returns nil if there is none for the time of a heartbeat, and io.EOF when the follower has
// to ask again: it followed for long, or the process is about to end.
func (f *Follower) Next() (*Change, error) {
	for deadline := time.Now().Add(f.service.Heartbeat); time.Now().Before(deadline); {
		if f.stream.TryNext(f.over) {
			change, err := f.read()
			if change != nil || err != nil {
				return change, err
			}
			continue
		}
		if f.over.Err() != nil {
			return nil, io.EOF
		}
		if err := f.stream.Err(); err != nil {
			return nil, opened(err)
		}
		if f.stream.ID() == 0 {
			return nil, io.EOF // the database was dropped
		}
	}
	return nil, nil
}

// read returns the change of the current event, nil if it is not told.
func (f *Follower) read() (*Change, error) {
	var event raw
	if err := f.stream.Decode(&event); err != nil {
		return nil, err
	}
	what, operation := kinds[event.Namespace.Collection], operations[event.Operation]
	if !event.isTold() || operation == "" {
		return nil, nil
	}
	change := &Change{
		Kind: what.name, Operation: operation, ID: event.Key.ID.Hex(), Fields: event.fields(), Time: event.time(), Token: f.Token(),
	}
	whose, err := f.owner(event, what)
	if err != nil {
		return nil, err
	}
	if !whose.ClinicID.IsZero() {
		change.ClinicID = whose.ClinicID.Hex()
	}
	switch what.name {
	case "clinic":
		change.ClinicID = change.ID
	case "patient":
		change.PatientID = whose.UserID
	case "clinician":
		change.ClinicianID = whose.UserID
	}
	return change, nil
}

// owner returns whose a document is. Of one that is gone, the record of its deletion says it, which is older than the event.
func (f *Follower) owner(event raw, what kind) (owner, error) {
	if !event.Document.ClinicID.IsZero() || what.deletions == "" {
		return owner{event.Document.ClinicID, event.Document.UserID}, nil
	}
	var record map[string]owner
	err := f.service.database.Collection(what.deletions).FindOne(f.over, bson.D{{Key: "derived.of", Value: event.Key.ID}},
		options.FindOne().SetProjection(bson.D{{Key: "_id", Value: 0}, {Key: what.record + ".clinicId", Value: 1}, {Key: what.record + ".userId", Value: 1}})).Decode(&record)
	if store.IsNotFound(err) {
		return owner{}, nil // a merge leaves no record of somebody who is in the other clinic, too
	}
	return record[what.record], err
}

// OnEnd calls the function once the follower has to end, unless it is stopped before.
func (f *Follower) OnEnd(call func()) (stop func() bool) { return context.AfterFunc(f.over, call) }

// Close ends the follower, and makes room for another.
func (f *Follower) Close() {
	f.limit.Stop()
	f.end()
	if f.stream != nil {
		ctx, cancel := context.WithTimeout(context.Background(), await)
		defer cancel()
		_ = f.stream.Close(ctx) // the database closes it by itself, too
	}
	f.service.mu.Lock()
	defer f.service.mu.Unlock()
	delete(f.service.followers, f)
}
