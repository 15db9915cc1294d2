package summary

import "time"

// Summary holds the glucose statistics of a patient by kind of device. The same struct is the wire form and the stored
// form: nothing is computed here, the values are those that the summary service sent.
type Summary struct {
	CGMStats *CGMStats `json:"cgmStats,omitempty" bson:"cgmStats,omitempty"`
	BGMStats *BGMStats `json:"bgmStats,omitempty" bson:"bgmStats,omitempty"`
}

// CGMStats are the statistics of a continuous glucose monitor. A nil ID in a request means that the statistics are not to
// be stored.
type CGMStats struct {
	ID      *string              `json:"id,omitempty" bson:"id,omitempty"`
	Config  Config               `json:"config" bson:"config"`
	Dates   Dates                `json:"dates" bson:"dates"`
	Periods map[string]CGMPeriod `json:"periods,omitempty" bson:"periods,omitempty"`
}

// BGMStats are the statistics of fingerstick readings; see CGMStats.
type BGMStats struct {
	ID      *string              `json:"id,omitempty" bson:"id,omitempty"`
	Config  Config               `json:"config" bson:"config"`
	Dates   Dates                `json:"dates" bson:"dates"`
	Periods map[string]BGMPeriod `json:"periods,omitempty" bson:"periods,omitempty"`
}

// Config says which thresholds, in mmol/L, the statistics were computed with.
type Config struct {
	SchemaVersion            int     `json:"schemaVersion" bson:"schemaVersion"`
	HighGlucoseThreshold     float64 `json:"highGlucoseThreshold" bson:"highGlucoseThreshold"`
	VeryHighGlucoseThreshold float64 `json:"veryHighGlucoseThreshold" bson:"veryHighGlucoseThreshold"`
	LowGlucoseThreshold      float64 `json:"lowGlucoseThreshold" bson:"lowGlucoseThreshold"`
	VeryLowGlucoseThreshold  float64 `json:"veryLowGlucoseThreshold" bson:"veryLowGlucoseThreshold"`
}

// Dates says when data began and ended, when it was uploaded, and since when the statistics are out of date.
type Dates struct {
	LastUpdatedDate    *time.Time `json:"lastUpdatedDate,omitempty" bson:"lastUpdatedDate,omitempty"`
	LastUpdatedReason  *[]string  `json:"lastUpdatedReason,omitempty" bson:"lastUpdatedReason,omitempty"`
	HasFirstData       bool       `json:"hasFirstData" bson:"hasFirstData"`
	FirstData          *time.Time `json:"firstData,omitempty" bson:"firstData,omitempty"`
	HasLastData        bool       `json:"hasLastData" bson:"hasLastData"`
	LastData           *time.Time `json:"lastData,omitempty" bson:"lastData,omitempty"`
	HasLastUploadDate  bool       `json:"hasLastUploadDate" bson:"hasLastUploadDate"`
	LastUploadDate     *time.Time `json:"lastUploadDate,omitempty" bson:"lastUploadDate,omitempty"`
	HasOutdatedSince   bool       `json:"hasOutdatedSince" bson:"hasOutdatedSince"`
	OutdatedSince      *time.Time `json:"outdatedSince,omitempty" bson:"outdatedSince,omitempty"`
	OutdatedSinceLimit *time.Time `json:"outdatedSinceLimit,omitempty" bson:"outdatedSinceLimit,omitempty"`
	OutdatedReason     *[]string  `json:"outdatedReason,omitempty" bson:"outdatedReason,omitempty"`
}
