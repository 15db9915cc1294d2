package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// What the interface document says about parameters, and what the table does not.
func TestParametersOfPatientListsAreChecked(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	path := "/v1/clinics/" + bson.NewObjectID().Hex() + "/patients?"
	id := bson.NewObjectID().Hex()
	accepted := []string{
		"", "limit=1", "limit=100000", "offset=5000", "limit=1000000&offset=2147483647",
		"limit=1000000&offset=2147483647&sort=-min&sortType=cgm", "search=%20a", "tags=_", "sites=_", "tags=" + id, "sites=" + id + "," + id, "tagsMatch=any", "searchMode=people", "search=%27&searchMode=people", "search=a&searchMode=text", "tags=" + id + "&tagsMatch=all&sites=_&sitesMatch=any", "cgm.foo=x", "foo=1",
		"sort=%2BfullName&sortType=bgm", "sort=-timeInTargetPercentDelta&sortType=cgm&period=1d", "sortType=cgm", "omitNonStandardRanges=true",
		"cgm.timeInTargetPercent=%3C0.701", "bgm.timeInVeryHighPercent=%3E%3D.5", "cgm.min=%3C-1", "cgm.totalRecords=%3E96", "bgm.totalRecordsDelta=%3C%2B1",
		"lastReviewed=2030-01-01T00:00:00Z", "cgm.lastDataFrom=2030-01-01T00:00:00%2B05:00",
	}
	for _, query := range accepted {
		answer := app.Call(t, testkit.Service, http.MethodGet, path+query, nil).OK(t, http.StatusOK)
		require.JSONEq(t, `{"data":[],"meta":{"count":0,"totalCount":0}}`, string(answer.Body), query)
	}
	refused := []string{
		"limit=0", "limit=1000001", "limit=9223372036854775807", "offset=2147483648", "limit=x", "limit=", "offset=-1", "offset=1.5", "search=", "tags=", "sites=", "tags=,", "tagsMatch=", "search=a&searchMode=", "search=a&searchMode=person", "search=" + strings.Repeat("a+", 17) + "&searchMode=people", "tagsMatch=some", "sitesMatch=ANY", "sitesMatch=any&sitesMatch=any", "tags=" + id + ",," + id,
		"tags=" + id + "&tags=" + id, "sites=_&sites=_", "search=a&search=b", "search=%00", "search=%ff", "sort=fullName&sortType=cgm", "sort=+fullName&sortType=cgm",
		"sort=&sortType=cgm", "sort=%2BfullName", "sort=%2BfullName&sortType=xgm", "sort=%2Bnope&sortType=cgm", "sort=x-fullName&sortType=cgm", "period=2d",
		"period=", "omitNonStandardRanges=x", "cgm.min=1", "cgm.min=", "cgm.min=%3C1%20", "cgm.totalRecords=%3C1.5", "cgm.totalRecords=x",
		"cgm.lastDataFrom=2030-01-01", "cgm.lastDataTo=2030-01-01T00:00:00", "lastReviewed=now", "cgm.min=%3C1&cgm.min=%3C2",
	}
	for _, query := range refused {
		answer := app.Call(t, testkit.Service, http.MethodGet, path+query, nil)
		require.Equal(t, http.StatusBadRequest, answer.Status, "%s: %s", query, answer.Body)
	}
}
