package patients

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/summary"
)

// Indexes returns the indexes of the collections of this package. COMPAT: deployed databases have those up to the
// MeetingTargets indexes under these names and keys.
func Indexes() []store.Indexes {
	indexes := []store.Index{
		{Name: "UserId", Keys: store.Ascending("userId")},
		{Name: "UniquePatient", Keys: store.Ascending("clinicId", "userId"), Unique: true},
		{Name: "PatientFullNameEn", Keys: store.Ascending("clinicId", "fullName"), Locale: store.IgnoreCaseAndAccents()},
		{Name: "PatientBirthDate", Keys: store.Ascending("clinicId", "birthDate")},
		{Name: "PatientEmail", Keys: store.Ascending("clinicId", "email")},
		{Name: "PatientMRN", Keys: store.Ascending("clinicId", "mrn")},
		{Name: "UniqueMrn", Keys: store.Ascending("clinicId", "mrn", "_na"), Unique: true, Partial: bson.D{
			{Key: "mrn", Value: bson.D{{Key: "$type", Value: "string"}}},
			{Key: "requireUniqueMrn", Value: bson.D{{Key: "$eq", Value: true}}},
		}},
		{Name: "PatientTagsV2", Keys: store.Ascending("clinicId", "userId", "tags")},
		{Name: "Sites", Keys: store.Ascending("clinicId", "sites.id")},
		{Name: "DataSourcesProviderName", Keys: store.Ascending("clinicId", "dataSources.providerName")},
		{Name: "DataSourcesState", Keys: store.Ascending("clinicId", "dataSources.state")},
		{Name: "PatientCGMSummary", Keys: store.Ascending("summary.cgmStats.id"), Partial: exists("summary.cgmStats.id")},
		{Name: "PatientBGMSummary", Keys: store.Ascending("summary.bgmStats.id"), Partial: exists("summary.bgmStats.id")},
	}
	for _, period := range summary.Periods() {
		indexes = append(indexes, meetingTargetsIndex(period))
	}
	return []store.Indexes{
		{Collection: CollectionName, Indexes: indexes},
		creationIndexes(),
		tagChangeIndexes(),
		{Collection: DeletionsCollectionName, Indexes: []store.Index{
			store.DeletionIndex(),
			{Name: "PatientDeletion", Keys: store.Ascending("patient.clinicId,userId")},
			{Name: "DeletedTime", Keys: store.Ascending("deletedTime", "patient.clinicId,userId")},
			{Name: "PatientDeletionByPatient", Keys: store.Ascending("patient.clinicId", "patient.userId")},
			{Name: "PatientDeletionByTime", Keys: store.Ascending("deletedTime")},
		}},
	}
}

func exists(field string) bson.D {
	return bson.D{{Key: field, Value: bson.D{{Key: "$exists", Value: true}}}}
}

func meetingTargetsIndex(period string) store.Index {
	statistics := "summary.cgmStats.periods." + period
	atLeast := bson.D{{Key: "$gte", Value: 0.7}}
	return store.Index{
		Name: "MeetingTargetsIndex" + period, Old: true,
		Keys: store.Ascending("clinicId", "userId", "tags", "summary.cgmStats.dates.lastData", statistics+".timeInTargetPercent"),
		Partial: bson.D{
			{Key: statistics + ".timeInTargetPercent", Value: atLeast},
			{Key: statistics + ".timeCGMUsePercent", Value: atLeast},
		},
	}
}
