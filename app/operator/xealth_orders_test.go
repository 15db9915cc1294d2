package operator

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestXealthOrdersAreListedAndReplayed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{
		"provider": "xealth", "sourceId": "northshore", "mrnIdType": "EMPI", "procedureCodes": map[string]any{"createAccountAndEnableReports": "p"},
	})
	about := func(mrn string) map[string]any {
		return map[string]any{
			"orderInfo":       map[string]any{"deployment": "northshore", "orderId": "o-" + mrn},
			"patientIdentity": map[string]any{"ids": []any{map[string]any{"id": mrn, "type": "EMPI"}}},
			"datasets":        map[string]any{"demographicsV1": map[string]any{"birthDate": "1990-01-01", "name": map[string]any{"given": []string{"Pat"}}}},
		}
	}
	stored := func(mrn string) string {
		d.Standin.AddOrder("northshore", "o-"+mrn, about(mrn))
		id := bson.NewObjectID()
		_, err := d.Store.Collection("xealth_order").InsertOne(t.Context(), bson.M{
			"_id": id, "orderData": about(mrn), "eventNotification": bson.M{
				"deployment": "northshore", "orderId": "o-" + mrn, "eventType": "order", "eventContext": "new", "programId": "p", "eventId": mrn,
			},
		})
		require.NoError(t, err)
		return id.Hex()
	}
	known, unknown := stored("A"), stored("B")
	user := d.patient(t, "Ann", map[string]any{"mrn": "A", "birthDate": "1990-01-01"})

	lines := d.ok(t, "xealth", "list")
	require.Len(t, lines, 3)
	require.Contains(t, lines[0], unknown)
	require.Contains(t, lines[0], "new failed: unable to create patient create: bad request: preorder data is required")
	require.Contains(t, lines[1], "new pending: the event fits, and was cut short")
	require.Equal(t, "Found 2 events", lines[2])
	require.NotContains(t, strings.Join(lines, "\n"), "1990-01-01", "nothing about patients")
	require.Equal(t, map[string]any{"found": 2.0}, d.objects(t, "xealth", "list", "--limit", "2")[2])
	require.Len(t, d.ok(t, "xealth", "list", "--limit", "1"), 2)
	require.Equal(t, []string{"Found 0 events"}, d.ok(t, "xealth", "list", "--deployment", "other"))

	require.Equal(t, []string{known + " - replayed"}, d.ok(t, "xealth", "replay", known))
	require.Equal(t, []string{known + " - replayed"}, d.ok(t, "xealth", "replay", known), "a repeat")
	for _, patient := range d.stored(t) {
		require.Equal(t, user, patient["userId"], "nobody is added")
	}
	require.Len(t, d.ok(t, "xealth", "list"), 2)
	require.Len(t, d.ok(t, "xealth", "list", "--all"), 3)
	for argument, status := range map[string]int{"x": statusNotFound, bson.NewObjectID().Hex(): statusNotFound, unknown: statusRefused} {
		require.Equal(t, status, d.run(t, "xealth", "replay", argument).status)
	}
	require.Equal(t, statusUsage, d.run(t, "xealth", "list", "--limit", "0").status)
}
