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

// ask wants everybody to have the tag, or nobody. The process may be killed before it answers.
func (g tagging) ask(process *testkit.Process, have bool) {
	verb := "delete_tag"
	if have {
		verb = "assign_tag"
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, process.URL+g.path()+"/"+verb+"/"+g.tag, nil)
	require.NoError(g.t, err)
	request.Header.Set("X-Tidepool-Session-Token", string(testkit.Service))
	go func() {
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
		}
	}()
	require.Eventually(g.t, func() bool { return g.count("tag_changes", bson.M{}) > 0 }, 10*time.Second, time.Millisecond)
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
	return clinic["patientTags"].([]any)[0].(map[string]any)["numPatients"].(float64)
}

// TestATagIsGivenToAllWhoeverIsKilled: of two processes, the one that was asked is killed while it gives a tag to everybody, or takes it
// again. The other one goes on.
func TestATagIsGivenToAllWhoeverIsKilled(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	g := tagging{crowd: newCrowd(t, &service.App, 1600, 1), t: t, service: service}
	clinic := "/v1/clinics/" + g.clinicID.Hex()
	service.Call(t, testkit.User(g.admin), http.MethodPost, clinic+"/patient_tags", map[string]any{"name": "Everybody"}).OK(t, http.StatusOK)
	shown := service.Call(t, testkit.Service, http.MethodGet, clinic, nil).OK(t, http.StatusOK).Object(t)
	g.tag = shown["patientTags"].([]any)[0].(map[string]any)["id"].(string)
	processes := [2]*testkit.Process{service, service.Replica(t)}

	have, cut := false, 0
	for killed := range kills() {
		process := processes[killed%2]
		before := g.have()
		if g.count("tag_changes", bson.M{}) == 0 {
			have = !have
			g.ask(process, have)
		}
		require.Eventually(t, func() bool { return g.have() != before || g.count("tag_changes", bson.M{}) == 0 }, time.Minute, time.Millisecond)
		process.Kill()
		cut += g.count("tag_changes", bson.M{})
		// The lease of the dead runs out after half a minute.
		_, err := service.Store.Collection("leases").DeleteMany(t.Context(), bson.M{})
		require.NoError(t, err)
		process.Start(t, process.Environment())
	}
	t.Logf("%d of %d kills left a change behind", cut, kills())
	require.Positive(t, cut)
	require.Eventually(t, func() bool { return g.count("tag_changes", bson.M{}) == 0 }, 3*time.Minute, 50*time.Millisecond)
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
