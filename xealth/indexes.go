package xealth

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// OrdersCollectionName is the collection of what Xealth said about orders.
const OrdersCollectionName = "xealth_order"

// The other collections of this package.
const (
	preorderCollection = "xealth_preorder"
	eventCollection    = OrdersCollectionName
	viewCollection     = "xealth_report_view"
)

// Indexes returns the indexes of the collections of this package. COMPAT: deployed databases have dataTrackingId and
// LastReportView under these names and keys. Nothing has a patientId, so that the latter misses the patient.
func Indexes() []store.Indexes {
	return []store.Indexes{
		{Collection: preorderCollection, Indexes: []store.Index{
			{Name: "dataTrackingId", Keys: store.Ascending("dataTrackingId"), Unique: true},
			{Name: "PreorderRetention", Keys: store.Ascending("createdTime"), ExpireSeconds: int32(preorderRetention / time.Second)},
		}},
		{Collection: eventCollection, Indexes: []store.Index{
			{Name: "EventsOfOrder", Keys: store.Ascending("eventNotification.deployment", "eventNotification.orderId")},
		}},
		{Collection: viewCollection, Indexes: []store.Index{
			{Name: "LastReportView", Keys: newestOf("patientId")},
			{Name: "LastReportViewOfPatient", Keys: newestOf("patientUserId")},
		}},
	}
}

func newestOf(patient string) bson.D {
	return append(store.Ascending("userId", "deployment", "programId", "clinicId", patient), bson.E{Key: "createdTime", Value: -1})
}
