package patients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/store"
)

const (
	statePending          = "pending"
	statePendingReconnect = "pendingReconnect"
	// requestTime is how long a patient has to connect an account.
	requestTime = 30 * 24 * time.Hour
	// attempts bounds how often a change is tried again because another one came first.
	attempts = 5
)

// ConnectProvider asks the patient to connect the account of the provider: dexcom, twiist or abbott. The record must hold a
// data source of the provider; the first one waits for the patient from now on. The mail is sent by a service that watches
// providerConnectionRequests; every call sends one. Errors are ErrNotFound if there is
// no such patient or data source, and ErrContested.
func (s *Service) ConnectProvider(ctx context.Context, clinicID bson.ObjectID, userID, provider string) error {
	for range attempts {
		err := s.connect(ctx, clinicID, userID, provider)
		if !errors.Is(err, ErrContested) {
			return err
		}
	}
	return ErrContested
}

func (s *Service) connect(ctx context.Context, clinicID bson.ObjectID, userID, provider string) error {
	var patient Patient
	key := patientKey(clinicID, userID)
	err := s.collection.FindOne(ctx, key, options.FindOne().SetProjection(bson.D{{Key: "dataSources", Value: 1}})).Decode(&patient)
	if store.IsNotFound(err) {
		return fmt.Errorf("error finding patient: %w", ErrNotFound)
	}
	if err != nil {
		return err
	}
	index := patient.firstDataSource(provider)
	if index < 0 {
		return ErrNotFound
	}
	request := newConnection(index, (*patient.DataSources)[index], store.EffectTime(ctx))
	request.planned = store.IsPlanned(ctx)
	write := func(ctx context.Context) (census.Count, error) { return s.writeConnection(ctx, key, request) }
	nullable := []string{"providerConnectionRequests", request.requests()}
	return s.withoutNulls(ctx, key, nullable, func() error { // outside of the transaction, which a refusal ends
		if userID == s.demoUserID { // data sources of the demo patient are not counted
			_, err := write(ctx)
			return err
		}
		return s.census.Change(ctx, clinicID, write)
	})
}

// firstDataSource returns the index of the first data source of the provider, or -1.
func (p *Patient) firstDataSource(provider string) int {
	if p.DataSources == nil {
		return -1
	}
	return slices.IndexFunc(*p.DataSources, func(source DataSource) bool { return source.ProviderName == provider })
}

// connection is a request to connect a data source, as it was read.
type connection struct {
	index  int // of the data source
	source DataSource
	state  string // of the data source from now on
	time   time.Time
	// planned tells that another request may have made this one.
	planned bool
}

func newConnection(index int, source DataSource, now time.Time) connection {
	c := connection{index: index, source: source, state: statePending, time: now}
	if source.ModifiedTime != nil { // it was connected before
		c.state = statePendingReconnect
	}
	return c
}

// unchanged selects the patient only while the data source is as it was read.
func (c connection) unchanged(key bson.D) bson.D {
	key = slices.Clone(key)
	if c.planned {
		key = append(key, bson.E{Key: c.requests() + ".createdTime", Value: bson.D{{Key: "$ne", Value: c.time}}})
	}
	modified := bson.E{Key: c.path("modifiedTime"), Value: nil}
	if c.source.ModifiedTime != nil {
		modified.Value = *c.source.ModifiedTime
	}
	return append(key, bson.E{Key: c.path("providerName"), Value: c.source.ProviderName}, modified)
}

// update puts the newest request first, because that is where those who watch look for it.
func (c connection) update(updated time.Time) bson.D {
	set := bson.D{
		{Key: c.path("state"), Value: c.state},
		{Key: c.path("expirationTime"), Value: c.time.Add(requestTime)},
		{Key: "updatedTime", Value: updated},
	}
	if c.state == statePendingReconnect {
		set = append(set, bson.E{Key: c.path("modifiedTime"), Value: c.time})
	}
	return bson.D{
		{Key: "$set", Value: set},
		{Key: "$push", Value: bson.D{{Key: c.requests(), Value: bson.D{
			{Key: "$each", Value: []ConnectionRequest{{ProviderName: c.source.ProviderName, CreatedTime: c.time}}},
			{Key: "$position", Value: 0},
		}}}},
	}
}

// requests is the path of the requests for the same provider.
func (c connection) requests() string { return "providerConnectionRequests." + c.source.ProviderName }

func (c connection) path(field string) string {
	return fmt.Sprintf("dataSources.%d.%s", c.index, field)
}

func (s *Service) writeConnection(ctx context.Context, key bson.D, c connection) (census.Count, error) {
	var before Patient
	err := s.collection.FindOneAndUpdate(ctx, c.unchanged(key), c.update(store.UpdateTime(ctx, c.time)),
		options.FindOneAndUpdate().SetProjection(censusFields)).Decode(&before)
	if err != nil {
		return census.Count{}, store.OneOf(err, ErrContested, nil)
	}
	sources := slices.Clone(*before.DataSources)
	sources[c.index].State = c.state
	return s.difference(&before, &Patient{DataSources: &sources}), nil
}
