package faults_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/fx"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

// Users who play in every scene. Their ids stay the same, so that two runs can be compared.
const (
	admin  = "ad00000001"
	other  = "ad00000002"
	member = "ee00000001"
	guest  = "ee00000002" // has an account, but is in no clinic
	legacy = "cc00000001" // a legacy account, which stands for a clinic
	demo   = "de00000001"
)

var names = map[string]string{
	admin: "Ada Admin", other: "Olga Other", member: "Max Member", guest: "Gus Guest", legacy: "Lee Legacy", demo: "Demi Demo",
}

// scene is a service with a database that can break, and what stands on the stage.
type scene struct {
	app *testkit.App
	testing.TB
	proxy *wire.Proxy
	ids   map[string]string
	empty []byte // what the neighbours remember at the beginning
	// stages are those that were set before, by the name of the operation.
	stages map[string]stage
	// now bounds the part of a test that is played, and alive, if it is not nil, ends with the database.
	now, alive context.Context
	witness    *witness // nil if nobody looks at change events
}

// Context returns the context of what is played now.
func (s *scene) Context() context.Context {
	if s.now != nil {
		return s.now
	}
	return s.TB.Context()
}

// databaseAddress returns where the real database is.
func databaseAddress() string { return testkit.Store("").Addresses }

// settings changes the settings of a service under test so that it reaches its database through the proxy.
func settings(proxy *wire.Proxy) func(*config.Config) {
	return func(c *config.Config) {
		c.Store.Addresses = proxy.Address()
		c.Demo.PatientUserID = demo
		c.Platform.CallTimeout = 10 * time.Second // not what is tested, and the machine may be busy
	}
}

func newScene(t testing.TB) *scene {
	t.Helper()
	proxy, err := wire.Start(databaseAddress())
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	return startScene(t, proxy)
}

func startScene(t testing.TB, proxy *wire.Proxy, more ...func(*config.Config)) *scene {
	t.Helper()
	var merges *merge.Service
	options := []testkit.Option{testkit.Configure(settings(proxy)), testkit.Populate(&merges), testkit.With(fx.Decorate(dormant))}
	for _, change := range more {
		options = append(options, testkit.Configure(change))
	}
	app := testkit.Start(t, options...)
	merges.LeaseTime = 500 * time.Millisecond // what a repeat waits after a crash
	return setScene(t, app, proxy)
}

// dormant leaves it to the scene to sweep the census: writes of the background would count as those of an operation.
func dormant(s *census.Service) *census.Service {
	s.SweepInterval = time.Hour
	return s
}

func setScene(t testing.TB, app *testkit.App, proxy *wire.Proxy) *scene {
	t.Helper()
	for id, name := range names {
		user := standin.User{UserID: id, Username: id + "@example.com", Emails: []string{id + "@example.com"}, PasswordExists: true}
		if id == legacy {
			user.Roles = []string{"clinic"}
		}
		app.Standin.AddUser(user)
		app.Standin.AddProfile(id, map[string]any{"fullName": name, "patient": map[string]any{"birthday": "1990-05-06"}})
	}
	var empty bytes.Buffer
	require.NoError(t, app.Standin.Save(&empty))
	return &scene{app: app, proxy: proxy, ids: map[string]string{}, empty: empty.Bytes(), stages: map[string]stage{}}
}

// play runs part of a test with the scene reporting to it.
func (s *scene) play(t testing.TB, part func()) {
	t.Helper()
	whole := s.alive
	if whole == nil {
		whole = t.Context()
	}
	if whole.Err() != nil {
		t.Skip(context.Cause(whole)) // which fails the test as a whole
	}
	now, cancel := context.WithTimeout(whole, playTime)
	defer cancel()
	before := s.TB
	s.TB, s.now = t, now
	defer func() { s.TB, s.now = before, nil }()
	part()
}

// set sets the stage for an operation. From the second time on, it is put there as it was the first time, which is quicker
// than to make everything anew.
func (s *scene) set(o operation) {
	s.Helper()
	s.proxy.Heal()
	s.app.Standin.Heal()
	defer s.events() // those of the stage
	if known, ok := s.stages[o.name]; ok {
		s.restore(known)
		return
	}
	s.clear()
	o.stage(s)
	s.recount() // otherwise the background does, because of a clinic that was never counted, whenever it comes to it
	s.settle()
	s.stages[o.name] = s.snapshot()
}

// settle waits until the service does nothing any more: a recount may be under way that nobody waits for.
func (s *scene) settle() {
	s.Helper()
	recounts := bson.D{{Key: "_id", Value: bson.D{{Key: "$regex", Value: "^recount/"}}}}
	require.Eventually(s, func() bool {
		return allEnded(s.proxy.Commands()) && len(testkit.Documents(s, s.app.Store, store.LeaseCollectionName, recounts)) == 0
	}, 20*time.Second, 10*time.Millisecond)
}

// stage is all that is stored when an operation begins.
type stage struct {
	ids        map[string]string
	neighbours []byte
	documents  map[string][]any
}

func (s *scene) snapshot() stage {
	s.Helper()
	var neighbours bytes.Buffer
	require.NoError(s, s.app.Standin.Save(&neighbours))
	return stage{ids: maps.Clone(s.ids), neighbours: neighbours.Bytes(), documents: s.documents()}
}

// restore changes only what is not as it was: engines for development write slowly.
func (s *scene) restore(known stage) {
	s.Helper()
	s.ids = maps.Clone(known.ids)
	require.NoError(s, s.app.Standin.Load(bytes.NewReader(known.neighbours)))
	found := s.documents()
	for collection := range found {
		if known.documents[collection] == nil {
			known.documents[collection] = []any{}
		}
	}
	for collection, wanted := range known.documents {
		missing := without(wanted, found[collection])
		var extra bson.A
		for _, document := range without(found[collection], wanted) {
			extra = append(extra, value(document.(bson.D), "_id"))
		}
		if len(extra) > 0 {
			_, err := s.app.Store.Collection(collection).DeleteMany(s.Context(), bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: extra}}}})
			require.NoError(s, err)
		}
		if len(missing) > 0 {
			_, err := s.app.Store.Collection(collection).InsertMany(s.Context(), missing)
			require.NoError(s, err)
		}
	}
}

// without returns the documents that are not among the others.
func without(documents, others []any) []any {
	known := map[string]bool{}
	for _, other := range others {
		known[fmt.Sprint(other)] = true
	}
	return slices.DeleteFunc(slices.Clone(documents), func(d any) bool { return known[fmt.Sprint(d)] })
}

// documents returns all documents of all collections.
func (s *scene) documents() map[string][]any {
	s.Helper()
	found := map[string][]any{}
	collections, err := s.app.Store.ListCollectionNames(s.Context(), bson.D{})
	require.NoError(s, err)
	for _, collection := range collections {
		if collection == signals {
			continue
		}
		cursor, err := s.app.Store.Collection(collection).Find(s.Context(), bson.D{})
		require.NoError(s, err)
		var documents []bson.D
		require.NoError(s, cursor.All(s.Context(), &documents))
		for _, document := range documents {
			found[collection] = append(found[collection], document)
		}
	}
	return found
}

// clear empties the stage.
func (s *scene) clear() {
	s.proxy.Heal()
	collections, err := s.app.Store.ListCollectionNames(s.Context(), bson.D{})
	require.NoError(s, err)
	for _, collection := range collections {
		_, err := s.app.Store.Collection(collection).DeleteMany(s.Context(), bson.D{})
		require.NoError(s, err)
	}
	s.app.Standin.Heal()
	require.NoError(s, s.app.Standin.Load(bytes.NewReader(s.empty)))
	s.ids = map[string]string{}
}

// sweep does at once what the service does a minute after a process died.
func (s *scene) sweep() {
	testkit.SweepCensus(s, s.app.Store, demo)
}

// pass lets the time pass after which the service takes another process for dead. It is not so long that the database forgets
// what it knows of creations.
func (s *scene) pass() {
	_, err := s.app.Store.Collection(store.LeaseCollectionName).DeleteMany(s.Context(), bson.D{})
	require.NoError(s, err)
	_, err = s.app.Store.Collection(creations).UpdateMany(s.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "time", Value: time.Now().Add(-2 * time.Minute)}}}})
	require.NoError(s, err)
}

// recount counts the patients of all clinics anew.
func (s *scene) recount() {
	for _, clinic := range testkit.Documents(s, s.app.Store, clinics.CollectionName, bson.D{}) {
		_, err := testkit.Census(s.app.Store, demo).Recount(s.Context(), clinic["_id"].(bson.ObjectID))
		require.NoError(s, err)
	}
}

// send makes a call. Names in braces in the path stand for ids of the scene.
func (s *scene) send(caller testkit.Caller, line string, body any) testkit.Response {
	s.Helper()
	method, path, _ := strings.Cut(line, " ")
	return s.app.Call(s, caller, method, s.fill(path), body)
}

func (s *scene) fill(text string) string {
	return os.Expand(strings.NewReplacer("{", "${").Replace(text), func(name string) string {
		id, ok := s.ids[name]
		require.True(s, ok, "no id of %q on the stage", name)
		return id
	})
}

// make makes a call whose answer has an id, and keeps that under the name.
func (s *scene) make(name string, caller testkit.Caller, line string, body any) {
	s.Helper()
	s.ids[name] = s.send(caller, line, body).OK(s, http.StatusOK).Object(s)["id"].(string)
}
