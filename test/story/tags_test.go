package story_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// tagging is a crowd of which everybody gets a tag, and loses it, while processes are killed.
type tagging struct {
	*crowd
	t       *testing.T
	service *testkit.Process
	tag     string
}

// ask wants everybody to have the tag, or nobody. It does not wait for the answer, which the process may owe. The caller leaves by the
// function that it returns.
func (g tagging) ask(process *testkit.Process, have bool) (leave func()) {
	verb := "delete_tag"
	if have {
		verb = "assign_tag"
	}
	ctx, leave := context.WithCancel(g.t.Context())
	g.t.Cleanup(leave)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, process.URL+g.path()+"/"+verb+"/"+g.tag, nil)
	require.NoError(g.t, err)
	request.Header.Set("X-Tidepool-Session-Token", string(testkit.Service))
	go func() {
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
		}
	}()
	require.Eventually(g.t, func() bool { return g.count("tag_changes", bson.M{}) > 0 }, 30*time.Second, 5*time.Millisecond)
	return leave
}

func (g tagging) count(collection string, filter any) int {
	n, err := g.service.Store.Collection(collection).CountDocuments(g.t.Context(), filter)
	require.NoError(g.t, err)
	return int(n)
}

// have returns how many patients have the tag.
func (g tagging) have() int {
	tag, err := bson.ObjectIDFromHex(g.tag)
	require.NoError(g.t, err)
	return g.count("patients", bson.M{"clinicId": g.clinicID, "tags": tag})
}

// shown returns how many the clinic says that they are, once the counts have no open notes, which the killed left. It makes the notes old,
// and so does not wait for a minute.
func (g tagging) shown() float64 {
	_, err := g.service.Store.Collection("census_changes").UpdateMany(g.t.Context(), bson.M{}, bson.M{"$set": bson.M{"time": time.Unix(0, 0)}})
	require.NoError(g.t, err)
	require.Eventually(g.t, func() bool { return g.count("census_changes", bson.M{}) == 0 }, 20*time.Second, 50*time.Millisecond)
	clinic := g.service.Call(g.t, testkit.Service, http.MethodGet, "/v1/clinics/"+g.clinicID.Hex(), nil).OK(g.t, http.StatusOK).Object(g.t)
	number, _ := clinic["patientTags"].([]any)[0].(map[string]any)["numPatients"].(float64) // 0 is left out
	return number
}

// newTagging returns a crowd of so many patients, none of whom has the tag.
func newTagging(t *testing.T, number int) tagging {
	t.Helper()
	service := testkit.Run(t, nil)
	g := tagging{crowd: newCrowd(t, &service.App, number, 1), t: t, service: service}
	clinic := "/v1/clinics/" + g.clinicID.Hex()
	service.Call(t, testkit.User(g.admin), http.MethodPost, clinic+"/patient_tags", map[string]any{"name": "Everybody"}).OK(t, http.StatusOK)
	shown := service.Call(t, testkit.Service, http.MethodGet, clinic, nil).OK(t, http.StatusOK).Object(t)
	g.tag = shown["patientTags"].([]any)[0].(map[string]any)["id"].(string)
	return g
}

// begins waits until some have got, or lost, the tag since there were so many.
func (g tagging) begins(before int) {
	require.Eventually(g.t, func() bool { return g.have() != before || g.count("tag_changes", bson.M{}) == 0 }, 2*time.Minute, 20*time.Millisecond)
}

func (g tagging) ends() {
	require.Eventually(g.t, func() bool { return g.count("tag_changes", bson.M{}) == 0 }, 3*time.Minute, 50*time.Millisecond)
}

// TestATagIsGivenToAllAlthoughTheServiceStops: a stop waits for the batch that is under way, and the next start goes on.
func TestATagIsGivenToAllAlthoughTheServiceStops(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "a batch may take longer there than a stop waits")
	g := newTagging(t, 2100)
	leave := g.ask(g.service, true)
	g.begins(0)
	leave() // a stop would wait for the answer
	require.Zero(t, g.service.Stop(t))
	require.Equal(t, 1, g.count("tag_changes", bson.M{}))
	require.Zero(t, g.have()%500, "whole batches")
	require.Zero(t, g.count("census_changes", bson.M{}), "and they are counted")
	require.Zero(t, g.count("leases", bson.M{"_id": bson.M{"$regex": "^tags/"}}), "who comes next need not wait")
	g.service.Start(t, g.service.Environment())
	g.ends()
	require.Equal(t, len(g.staying), g.have())
	require.InDelta(t, len(g.staying), g.shown(), 0)
	require.Contains(t, g.service.Output(), "the change of a tag of many patients goes on")
}

// TestATagIsGivenToAllWhoeverIsKilled: of two processes, the one that was asked is killed while it gives a tag to everybody, or takes it
// again. The other one goes on.
func TestATagIsGivenToAllWhoeverIsKilled(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "a process that is killed in a transaction of 500 patients may make it answer nobody any more; test/faults kills in smaller ones")
	g := newTagging(t, 1600)
	processes := [2]*testkit.Process{g.service, g.service.Replica(t)}

	have, cut := false, 0
	for killed := range kills() {
		process := processes[killed%2]
		before := g.have()
		if g.count("tag_changes", bson.M{}) == 0 {
			have = !have
			g.ask(process, have)
		}
		g.begins(before)
		process.Kill()
		cut += g.count("tag_changes", bson.M{})
		// The lease of the dead runs out after half a minute.
		_, err := g.service.Store.Collection("leases").DeleteMany(t.Context(), bson.M{})
		require.NoError(t, err)
		process.Start(t, process.Environment())
	}
	t.Logf("%d of %d kills left a change behind", cut, kills())
	require.Positive(t, cut)
	g.ends()
	wanted := 0
	if have {
		wanted = len(g.staying)
	}
	require.Equal(t, wanted, g.have())
	require.InDelta(t, wanted, g.shown(), 0)
	for _, process := range processes {
		require.Zero(t, process.Stop(t))
	}
}
