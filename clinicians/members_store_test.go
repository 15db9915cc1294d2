package clinicians_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

func TestMembersOfOneInstantAlwaysComeInTheSameOrder(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	members := clinicians.NewService(d, nil, nil, nil, nil)
	clinicID, now := bson.NewObjectID(), store.Now()
	var want []string
	for i := range 8 {
		member := bson.M{"_id": bson.NewObjectID(), "clinicId": clinicID, "email": "a." + string(rune('a'+i)) + "@example.com", "createdTime": now}
		_, err := d.Collection(clinicians.CollectionName).InsertOne(t.Context(), member)
		require.NoError(t, err)
		want = append([]string{member["email"].(string)}, want...)
	}
	search := "example"
	for _, filter := range []clinicians.Filter{{}, {Search: &search}} {
		var listed []string
		for offset := 0; offset < 9; offset += 3 {
			for member, err := range members.List(t.Context(), clinicID, filter, store.Page{Offset: offset, Limit: 3}) {
				require.NoError(t, err)
				listed = append(listed, *member.Email)
			}
		}
		require.Equal(t, want, listed)
	}
	for member, err := range members.ListAll(t.Context(), now.Add(time.Hour), time.Time{}, store.Page{Limit: 9}) {
		require.NoError(t, err)
		require.Fail(t, "nobody was created later", *member.Email)
	}
}
