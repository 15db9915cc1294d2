package redox

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

const (
	// MessagesCollectionName is the collection of messages as they were received.
	MessagesCollectionName = "redox"
	// ScheduledCollectionName is the collection of orders that the worker is to report on again.
	ScheduledCollectionName = "scheduledSummaryAndReportsOrders"
	// scheduledLifetime is how long a scheduled order is kept, in seconds: 90 days.
	scheduledLifetime = 90 * 24 * 60 * 60
	messagesByLogID   = "MessagesByLogID"
)

// Indexes returns the indexes of the collections of this package. COMPAT: the first two of the messages name members that no
// document has, and help nobody; deployed databases have them, and a name cannot be used again for other keys.
func Indexes() []store.Indexes {
	return []store.Indexes{
		{Collection: MessagesCollectionName, Indexes: []store.Index{
			{Name: "MetadataLogsId", Keys: store.Ascending("meta.Logs.Id"), Old: true},
			{Name: "MetadataSource", Keys: store.Ascending("meta.Source.Id", "meta.FacilityCode"), Old: true},
			{Name: messagesByLogID, Keys: store.Ascending("meta.Logs.ID")},
			// Unique, so that a message is replayed once.
			{Name: "ReplaysByMessage", Keys: store.Ascending("derived.replayOf"), Unique: true,
				Partial: bson.D{{Key: "derived.replayOf", Value: bson.D{{Key: "$exists", Value: true}}}}},
			{Name: "MessagesBySource", Keys: store.Ascending("meta.Source.ID", "meta.FacilityCode")},
		}},
		{Collection: ScheduledCollectionName, Indexes: []store.Index{
			{Name: "LastMatchedOrderByID", Keys: bson.D{{Key: "lastMatchedOrder._id", Value: 1}, {Key: "createdTime", Value: -1}}},
			{Name: "CleanupExpiredRescheduledOrdersAfter90d", Keys: store.Ascending("createdTime"), ExpireSeconds: scheduledLifetime},
		}},
	}
}
