package roster_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// Whatever the parameters are, they are refused as bad or the database can answer them.
func FuzzListParameters(f *testing.F) {
	for _, seed := range []string{
		"", "search=a", "search=%5C%5BQ%24", "search=%C3%A4%28%29", "search=a%00b", "search=%ff%fe", "tags=_", "tags=,", "tags=5f0000000000000000000001,x",
		"sites=5F0000000000000000000001", "sort=%2BlastData&sortType=cgm", "sort=-timeInTargetPercentDelta&sortType=bgm&period=7d", "sort=x-&sortType=cgm",
		"sort=-&sortType=bgm", "cgm.min=%3C1e5", "cgm.totalRecords=%3E99999999999999999999999", "bgm.max=%3E%3D-.5", "cgm.lastDataFrom=0001-01-01T00:00:00Z",
		"cgm.lastDataTo=9999-12-31T23:59:59Z", "bgm.lastDataTo=2030-02-30T00:00:00Z", "lastReviewed=2030-01-01T00:00:00%2B23:59", "omitNonStandardRanges=T",
		"period=%24where&cgm.min=%3C1", "period=.&cgm.min=%3C1", "cgm.min=%3CNaN", "cgm.min=%3CInf", "search=%CE%B9%CD%85%27+%EA%B9%80&searchMode=people", "search=a&searchMode=x", "search=%F0%9F%98%80&sort=-fullName&sortType=cgm",
	} {
		f.Add(seed)
	}
	lists := roster.NewService(testkit.Database(f))
	f.Fuzz(func(t *testing.T, query string) {
		parameters, err := url.ParseQuery(query)
		if err != nil {
			t.Skip("no query")
		}
		parsed, err := roster.ParseQuery(parameters, store.Page{Limit: 3})
		if err != nil {
			require.True(t, errs.Is(err, errs.BadRequest), err)
			return
		}
		list, err := lists.List(t.Context(), bson.NewObjectID(), parsed)
		require.NoError(t, err)
		for _, err := range list.Rows {
			require.NoError(t, err)
		}
	})
}
