package operator

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/redox"
)

func TestOrdersListSaysWhy(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	d.patient(t, "Ann", map[string]any{"mrn": "A", "birthDate": "1990-01-01"})
	d.patient(t, "Twin", map[string]any{"mrn": "T", "birthDate": "1990-01-01"})
	d.patient(t, "Twin", map[string]any{"mrn": "t", "birthDate": "1990-01-01"})
	twin := func(source string) { // two clinics with the same source
		for range 2 {
			id, _ := d.NewClinic(t)
			d.connect(t, id, map[string]any{"sourceId": source})
		}
	}
	twin("twins")
	person := about("A", "1990-01-01")
	want := map[string]string{
		d.order(t, "nowhere", "on", person).Hex():                             "unmatched: not found: couldn't find a matching clinic",
		d.order(t, "twins", "on", person).Hex():                               "unmatched: duplicate: multiple matching clinics found",
		d.order(t, "", "on", person).Hex():                                    "failed: bad request: source id is required",
		d.order(t, "source-1", "on", about("", "1990-01-01")).Hex():           "unmatched: the order has no patient identifier of the type that the clinic takes for its MRN",
		d.order(t, "source-1", "on", about("A", "")).Hex():                    "failed: bad request: date of birth is missing",
		d.order(t, "source-1", "on", about("A", "1991-01-01")).Hex():          "unmatched: no patient matches",
		d.order(t, "source-1", "off", about("T", "1990-01-01")).Hex():         "unmatched: several patients match",
		d.order(t, "source-1", "on", person).Hex():                            "pending: one patient matches, but the order did not act",
		d.order(t, "source-1", "new", about("unknown", "1990-01-01")).Hex():   "pending: no account was made",
		d.order(t, "source-1", "other", about("unknown", "1990-01-01")).Hex(): "ignored: the clinic has no use for the procedure code",
		d.order(t, "source-1", "new", person).Hex():                           "done: ",
	}
	acted := d.order(t, "source-1", "on", person)
	want[acted.Hex()] = "done: "
	d.Call(t, testkit.Service, http.MethodPost, "/v1/redox/match", map[string]any{
		"messageRef": map[string]any{"dataModel": "Order", "eventType": "New", "documentId": acted.Hex()},
		"patients":   map[string]any{"criteria": []string{"MRN_DOB"}, "onUniqueMatch": "ENABLE_REPORTS"},
	}).OK(t, http.StatusOK)

	got := map[string]string{}
	rows := d.objects(t, "orders", "list", "--all")
	for _, row := range rows[:len(rows)-1] {
		reason, _ := row["reason"].(string)
		got[row["id"].(string)] = row["outcome"].(string) + ": " + reason
	}
	require.Equal(t, want, got)
	require.Equal(t, map[string]any{"found": 12.0, "seen": 12.0}, rows[12])

	lines := d.ok(t, "orders", "list")
	require.Equal(t, "Found 9 orders, looked at 12", lines[len(lines)-1], "without those that acted or ask for nothing")
	require.NotContains(t, strings.Join(lines, "\n"), "1990-01-01", "nothing about patients")
	require.Len(t, d.ok(t, "orders", "list", "--source", "twins"), 2)
	require.Len(t, d.ok(t, "orders", "list", "--limit", "3"), 4)
	require.Equal(t, []string{"Found 0 orders, looked at 0"}, d.ok(t, "orders", "list", "--source", "other"))
}

func TestOrdersListShowsRedeliveriesAndLooksBackAsFarAsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	first := bson.NewObjectIDFromTimestamp(time.Now().Add(-48 * time.Hour))
	meta := bson.M{"DataModel": "Order", "EventType": "New", "Source": bson.M{"ID": "nowhere"}}
	for _, document := range []bson.M{
		{"_id": first, "meta": meta, "message": bson.M{}},
		{"_id": bson.NewObjectID(), "meta": meta, "message": bson.M{}, "derived": bson.M{"redeliveryOf": first}},
	} {
		_, err := d.Store.Collection(redox.MessagesCollectionName).InsertOne(t.Context(), document)
		require.NoError(t, err)
	}
	lines := d.ok(t, "orders", "list", "--since", "1h")
	require.Len(t, lines, 2)
	require.True(t, strings.HasSuffix(lines[0], " - redelivery of "+first.Hex()), lines[0])
	require.Len(t, d.ok(t, "orders", "list", "--since", "49h"), 3)
}

func TestOrdersReplay(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	id := bson.NewObjectID()
	_, err := d.Store.Collection(redox.MessagesCollectionName).InsertOne(t.Context(), bson.M{
		"_id": id, "meta": bson.M{"DataModel": "Order", "EventType": "New", "Source": bson.M{"ID": "nowhere"}}, "message": bson.M{},
	})
	require.NoError(t, err)
	for argument, text := range map[string]string{
		"x": "invalid documentId", bson.NewObjectID().Hex(): "couldn't find the message", id.Hex(): "the order would not act now either",
	} {
		r := d.run(t, "orders", "replay", argument)
		require.Contains(t, []int{statusUsage, statusNotFound, statusRefused}, r.status)
		require.Contains(t, r.stderr, text)
	}
}
