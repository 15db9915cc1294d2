package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// orders returns the listed orders of the source, by id, and the rest of the answer.
func (e ehr) orders(t *testing.T, query string) (map[string]map[string]any, any) {
	t.Helper()
	return listedOrders(t, e.App, "/v1/redox/orders?sourceId="+e.source+query)
}

// listedOrders returns the orders of a page by their ids, and the next page.
func listedOrders(t *testing.T, app *testkit.App, path string) (map[string]map[string]any, any) {
	t.Helper()
	answer := app.Call(t, testkit.Service, http.MethodGet, path, nil).OK(t, http.StatusOK).Object(t)
	found := map[string]map[string]any{}
	for _, order := range answer["orders"].([]any) {
		found[order.(map[string]any)["id"].(string)] = order.(map[string]any)
	}
	return found, answer["next"]
}

// requirePagesOfOrders asserts that pages of two show five orders once each, and that none is of the future.
func requirePagesOfOrders(t *testing.T, listed func(t *testing.T, query string) (map[string]map[string]any, any)) {
	t.Helper()
	all := map[string]bool{}
	query := "&limit=2"
	for range 4 {
		page, next := listed(t, query)
		for id := range page {
			require.False(t, all[id])
			all[id] = true
		}
		if next == nil {
			break
		}
		query = "&limit=2&before=" + next.(string)
	}
	require.Len(t, all, 5)
	page, _ := listed(t, "&since=2100-01-01T00:00:00Z")
	require.Empty(t, page)
}

func (e ehr) replay(t *testing.T, id string) testkit.Response {
	t.Helper()
	return e.Call(t, testkit.Service, http.MethodPost, "/v1/redox/orders/"+id+"/replay", nil)
}

func TestOrdersThatDidNotActAreListedAndReplayed(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	unmatched := e.send(t, e.order())
	incomplete := e.order()
	delete(at(incomplete, "Patient", "Demographics"), "DOB")
	failed := e.send(t, incomplete)
	other := e.order()
	at(other, "Order", "Procedure")["Code"] = "other"
	ignored := e.send(t, other)

	listed, next := e.orders(t, "")
	require.Nil(t, next)
	require.Len(t, listed, 2)
	require.Equal(t, "unmatched", listed[unmatched]["outcome"])
	require.Equal(t, "no patient matches", listed[unmatched]["reason"])
	require.Equal(t, e.clinicID, listed[unmatched]["clinicId"])
	require.Equal(t, "failed", listed[failed]["outcome"])
	require.NotContains(t, listed[unmatched], "replay")
	e.replay(t, unmatched).OK(t, http.StatusConflict)
	e.replay(t, ignored).OK(t, http.StatusConflict)
	e.replay(t, bson.NewObjectID().Hex()).Fails(t, http.StatusNotFound, "not found: couldn't find the message")
	e.replay(t, "x").OK(t, http.StatusBadRequest)

	user := e.timothy(t, nil)
	listed, _ = e.orders(t, "&outcome=pending")
	require.Len(t, listed, 1)
	replay := e.replay(t, unmatched).OK(t, http.StatusOK).Object(t)["orderId"].(string)
	require.Equal(t, replay, e.replay(t, unmatched).OK(t, http.StatusOK).Object(t)["orderId"])
	require.NotEqual(t, unmatched, replay)
	e.match(t, replay, "ENABLE_REPORTS", "MRN_DOB").OK(t, http.StatusOK)
	require.True(t, e.reports(t, user).Active)

	listed, _ = e.orders(t, "")
	require.Len(t, listed, 1, "what was replayed needs no help any more")
	listed, _ = e.orders(t, "&outcome=replayed")
	require.Equal(t, replay, listed[unmatched]["replay"])
	listed, _ = e.orders(t, "&outcome=done")
	require.Equal(t, unmatched, listed[replay]["replayOf"])
}

func TestOrdersComeInPages(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	for range 5 {
		e.send(t, e.order())
	}
	requirePagesOfOrders(t, e.orders)
	for _, bad := range []string{"limit=0", "limit=101", "outcome=lost", "before=x", "since=today"} {
		e.Call(t, testkit.Service, http.MethodGet, "/v1/redox/orders?"+bad, nil).OK(t, http.StatusBadRequest)
	}
}
