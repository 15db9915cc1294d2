package merge_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
)

// TestAMergeWaitsForTheTagsOfEverybody: a tag was being given to everybody in the source when its process died.
func TestAMergeWaitsForTheTagsOfEverybody(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	stage(t, d)
	insert(t, d, "tag_changes", bson.M{
		"_id": bson.NewObjectID(), "clinicId": sourceID, "tagId": id("SourcePump"), "remove": false, "userIds": nil,
		"until": bson.ObjectID([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")), "done": bson.NilObjectID, "time": time.Now(),
	})
	err := service(d).Merge(t.Context(), sourceID, targetID)
	require.ErrorIs(t, err, patients.ErrTagsChange)
	require.Equal(t, errs.Unavailable, errs.KindOf(err))
	require.ErrorIs(t, service(d).Merge(t.Context(), targetID, sourceID), patients.ErrTagsChange, "in either direction")
	require.Empty(t, testkit.Documents(t, d, "open_merges", bson.D{}), "nothing has begun")

	_, people, _ := counterparts(d)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		people.Run(ctx)
	}()
	require.NoError(t, service(d).Merge(t.Context(), sourceID, targetID))
	cancel()
	<-ended
	for _, userID := range []string{"moved", "bare", "twin", "united", "both-bare"} {
		found := testkit.Documents(t, d, patients.CollectionName, bson.M{"userId": userID})
		require.Len(t, found, 1)
		require.Equal(t, targetID, found[0]["clinicId"])
		require.Contains(t, found[0]["tags"], id("TargetPump"), userID)
	}
	require.Empty(t, testkit.Documents(t, d, "tag_changes", bson.D{}))
}
