package summary

// CGMPeriod is what a continuous glucose monitor recorded in one period. Percent fields are fractions from 0 to 1, Minutes
// and Records are counts; a …Delta is the change against the period before. A has… field says whether its value is known.
// An optional value that was not reported is nil, and absent on the wire and in the store.
type CGMPeriod struct {
	// TimeCGMUse: the time in which the sensor delivered readings.
	HasTimeCGMUsePercent   bool     `json:"hasTimeCGMUsePercent" bson:"hasTimeCGMUsePercent"`
	TimeCGMUsePercent      *float64 `json:"timeCGMUsePercent,omitempty" bson:"timeCGMUsePercent,omitempty"`
	TimeCGMUsePercentDelta *float64 `json:"timeCGMUsePercentDelta,omitempty" bson:"timeCGMUsePercentDelta,omitempty"`
	HasTimeCGMUseMinutes   bool     `json:"hasTimeCGMUseMinutes" bson:"hasTimeCGMUseMinutes"`
	TimeCGMUseMinutes      *int     `json:"timeCGMUseMinutes,omitempty" bson:"timeCGMUseMinutes,omitempty"`
	TimeCGMUseMinutesDelta *int     `json:"timeCGMUseMinutesDelta,omitempty" bson:"timeCGMUseMinutesDelta,omitempty"`
	HasTimeCGMUseRecords   bool     `json:"hasTimeCGMUseRecords" bson:"hasTimeCGMUseRecords"`
	TimeCGMUseRecords      *int     `json:"timeCGMUseRecords,omitempty" bson:"timeCGMUseRecords,omitempty"`
	TimeCGMUseRecordsDelta *int     `json:"timeCGMUseRecordsDelta,omitempty" bson:"timeCGMUseRecordsDelta,omitempty"`

	// TimeInVeryLow: below the very low threshold.
	HasTimeInVeryLowPercent   bool     `json:"hasTimeInVeryLowPercent" bson:"hasTimeInVeryLowPercent"`
	TimeInVeryLowPercent      *float64 `json:"timeInVeryLowPercent,omitempty" bson:"timeInVeryLowPercent,omitempty"`
	TimeInVeryLowPercentDelta *float64 `json:"timeInVeryLowPercentDelta,omitempty" bson:"timeInVeryLowPercentDelta,omitempty"`
	HasTimeInVeryLowMinutes   bool     `json:"hasTimeInVeryLowMinutes" bson:"hasTimeInVeryLowMinutes"`
	TimeInVeryLowMinutes      *int     `json:"timeInVeryLowMinutes,omitempty" bson:"timeInVeryLowMinutes,omitempty"`
	TimeInVeryLowMinutesDelta *int     `json:"timeInVeryLowMinutesDelta,omitempty" bson:"timeInVeryLowMinutesDelta,omitempty"`
	HasTimeInVeryLowRecords   bool     `json:"hasTimeInVeryLowRecords" bson:"hasTimeInVeryLowRecords"`
	TimeInVeryLowRecords      *int     `json:"timeInVeryLowRecords,omitempty" bson:"timeInVeryLowRecords,omitempty"`
	TimeInVeryLowRecordsDelta *int     `json:"timeInVeryLowRecordsDelta,omitempty" bson:"timeInVeryLowRecordsDelta,omitempty"`

	// TimeInAnyLow: below the low threshold, very low included.
	HasTimeInAnyLowPercent   bool     `json:"hasTimeInAnyLowPercent" bson:"hasTimeInAnyLowPercent"`
	TimeInAnyLowPercent      *float64 `json:"timeInAnyLowPercent,omitempty" bson:"timeInAnyLowPercent,omitempty"`
	TimeInAnyLowPercentDelta *float64 `json:"timeInAnyLowPercentDelta,omitempty" bson:"timeInAnyLowPercentDelta,omitempty"`
	HasTimeInAnyLowMinutes   bool     `json:"hasTimeInAnyLowMinutes" bson:"hasTimeInAnyLowMinutes"`
	TimeInAnyLowMinutes      *int     `json:"timeInAnyLowMinutes,omitempty" bson:"timeInAnyLowMinutes,omitempty"`
	TimeInAnyLowMinutesDelta *int     `json:"timeInAnyLowMinutesDelta,omitempty" bson:"timeInAnyLowMinutesDelta,omitempty"`
	HasTimeInAnyLowRecords   bool     `json:"hasTimeInAnyLowRecords" bson:"hasTimeInAnyLowRecords"`
	TimeInAnyLowRecords      *int     `json:"timeInAnyLowRecords,omitempty" bson:"timeInAnyLowRecords,omitempty"`
	TimeInAnyLowRecordsDelta *int     `json:"timeInAnyLowRecordsDelta,omitempty" bson:"timeInAnyLowRecordsDelta,omitempty"`

	// TimeInLow: between the very low and the low threshold.
	HasTimeInLowPercent   bool     `json:"hasTimeInLowPercent" bson:"hasTimeInLowPercent"`
	TimeInLowPercent      *float64 `json:"timeInLowPercent,omitempty" bson:"timeInLowPercent,omitempty"`
	TimeInLowPercentDelta *float64 `json:"timeInLowPercentDelta,omitempty" bson:"timeInLowPercentDelta,omitempty"`
	HasTimeInLowMinutes   bool     `json:"hasTimeInLowMinutes" bson:"hasTimeInLowMinutes"`
	TimeInLowMinutes      *int     `json:"timeInLowMinutes,omitempty" bson:"timeInLowMinutes,omitempty"`
	TimeInLowMinutesDelta *int     `json:"timeInLowMinutesDelta,omitempty" bson:"timeInLowMinutesDelta,omitempty"`
	HasTimeInLowRecords   bool     `json:"hasTimeInLowRecords" bson:"hasTimeInLowRecords"`
	TimeInLowRecords      *int     `json:"timeInLowRecords,omitempty" bson:"timeInLowRecords,omitempty"`
	TimeInLowRecordsDelta *int     `json:"timeInLowRecordsDelta,omitempty" bson:"timeInLowRecordsDelta,omitempty"`

	// TimeInTarget: between the low and the high threshold.
	HasTimeInTargetPercent   bool     `json:"hasTimeInTargetPercent" bson:"hasTimeInTargetPercent"`
	TimeInTargetPercent      *float64 `json:"timeInTargetPercent,omitempty" bson:"timeInTargetPercent,omitempty"`
	TimeInTargetPercentDelta *float64 `json:"timeInTargetPercentDelta,omitempty" bson:"timeInTargetPercentDelta,omitempty"`
	HasTimeInTargetMinutes   bool     `json:"hasTimeInTargetMinutes" bson:"hasTimeInTargetMinutes"`
	TimeInTargetMinutes      *int     `json:"timeInTargetMinutes,omitempty" bson:"timeInTargetMinutes,omitempty"`
	TimeInTargetMinutesDelta *int     `json:"timeInTargetMinutesDelta,omitempty" bson:"timeInTargetMinutesDelta,omitempty"`
	HasTimeInTargetRecords   bool     `json:"hasTimeInTargetRecords" bson:"hasTimeInTargetRecords"`
	TimeInTargetRecords      *int     `json:"timeInTargetRecords,omitempty" bson:"timeInTargetRecords,omitempty"`
	TimeInTargetRecordsDelta *int     `json:"timeInTargetRecordsDelta,omitempty" bson:"timeInTargetRecordsDelta,omitempty"`

	// TimeInHigh: between the high and the very high threshold.
	HasTimeInHighPercent   bool     `json:"hasTimeInHighPercent" bson:"hasTimeInHighPercent"`
	TimeInHighPercent      *float64 `json:"timeInHighPercent,omitempty" bson:"timeInHighPercent,omitempty"`
	TimeInHighPercentDelta *float64 `json:"timeInHighPercentDelta,omitempty" bson:"timeInHighPercentDelta,omitempty"`
	HasTimeInHighMinutes   bool     `json:"hasTimeInHighMinutes" bson:"hasTimeInHighMinutes"`
	TimeInHighMinutes      *int     `json:"timeInHighMinutes,omitempty" bson:"timeInHighMinutes,omitempty"`
	TimeInHighMinutesDelta *int     `json:"timeInHighMinutesDelta,omitempty" bson:"timeInHighMinutesDelta,omitempty"`
	HasTimeInHighRecords   bool     `json:"hasTimeInHighRecords" bson:"hasTimeInHighRecords"`
	TimeInHighRecords      *int     `json:"timeInHighRecords,omitempty" bson:"timeInHighRecords,omitempty"`
	TimeInHighRecordsDelta *int     `json:"timeInHighRecordsDelta,omitempty" bson:"timeInHighRecordsDelta,omitempty"`

	// TimeInVeryHigh: above the very high threshold.
	HasTimeInVeryHighPercent   bool     `json:"hasTimeInVeryHighPercent" bson:"hasTimeInVeryHighPercent"`
	TimeInVeryHighPercent      *float64 `json:"timeInVeryHighPercent,omitempty" bson:"timeInVeryHighPercent,omitempty"`
	TimeInVeryHighPercentDelta *float64 `json:"timeInVeryHighPercentDelta,omitempty" bson:"timeInVeryHighPercentDelta,omitempty"`
	HasTimeInVeryHighMinutes   bool     `json:"hasTimeInVeryHighMinutes" bson:"hasTimeInVeryHighMinutes"`
	TimeInVeryHighMinutes      *int     `json:"timeInVeryHighMinutes,omitempty" bson:"timeInVeryHighMinutes,omitempty"`
	TimeInVeryHighMinutesDelta *int     `json:"timeInVeryHighMinutesDelta,omitempty" bson:"timeInVeryHighMinutesDelta,omitempty"`
	HasTimeInVeryHighRecords   bool     `json:"hasTimeInVeryHighRecords" bson:"hasTimeInVeryHighRecords"`
	TimeInVeryHighRecords      *int     `json:"timeInVeryHighRecords,omitempty" bson:"timeInVeryHighRecords,omitempty"`
	TimeInVeryHighRecordsDelta *int     `json:"timeInVeryHighRecordsDelta,omitempty" bson:"timeInVeryHighRecordsDelta,omitempty"`

	// TimeInExtremeHigh: above the extremely high threshold.
	HasTimeInExtremeHighPercent   bool     `json:"hasTimeInExtremeHighPercent" bson:"hasTimeInExtremeHighPercent"`
	TimeInExtremeHighPercent      *float64 `json:"timeInExtremeHighPercent,omitempty" bson:"timeInExtremeHighPercent,omitempty"`
	TimeInExtremeHighPercentDelta *float64 `json:"timeInExtremeHighPercentDelta,omitempty" bson:"timeInExtremeHighPercentDelta,omitempty"`
	HasTimeInExtremeHighMinutes   bool     `json:"hasTimeInExtremeHighMinutes" bson:"hasTimeInExtremeHighMinutes"`
	TimeInExtremeHighMinutes      *int     `json:"timeInExtremeHighMinutes,omitempty" bson:"timeInExtremeHighMinutes,omitempty"`
	TimeInExtremeHighMinutesDelta *int     `json:"timeInExtremeHighMinutesDelta,omitempty" bson:"timeInExtremeHighMinutesDelta,omitempty"`
	HasTimeInExtremeHighRecords   bool     `json:"hasTimeInExtremeHighRecords" bson:"hasTimeInExtremeHighRecords"`
	TimeInExtremeHighRecords      *int     `json:"timeInExtremeHighRecords,omitempty" bson:"timeInExtremeHighRecords,omitempty"`
	TimeInExtremeHighRecordsDelta *int     `json:"timeInExtremeHighRecordsDelta,omitempty" bson:"timeInExtremeHighRecordsDelta,omitempty"`

	// TimeInAnyHigh: above the high threshold, very high included.
	HasTimeInAnyHighPercent   bool     `json:"hasTimeInAnyHighPercent" bson:"hasTimeInAnyHighPercent"`
	TimeInAnyHighPercent      *float64 `json:"timeInAnyHighPercent,omitempty" bson:"timeInAnyHighPercent,omitempty"`
	TimeInAnyHighPercentDelta *float64 `json:"timeInAnyHighPercentDelta,omitempty" bson:"timeInAnyHighPercentDelta,omitempty"`
	HasTimeInAnyHighMinutes   bool     `json:"hasTimeInAnyHighMinutes" bson:"hasTimeInAnyHighMinutes"`
	TimeInAnyHighMinutes      *int     `json:"timeInAnyHighMinutes,omitempty" bson:"timeInAnyHighMinutes,omitempty"`
	TimeInAnyHighMinutesDelta *int     `json:"timeInAnyHighMinutesDelta,omitempty" bson:"timeInAnyHighMinutesDelta,omitempty"`
	HasTimeInAnyHighRecords   bool     `json:"hasTimeInAnyHighRecords" bson:"hasTimeInAnyHighRecords"`
	TimeInAnyHighRecords      *int     `json:"timeInAnyHighRecords,omitempty" bson:"timeInAnyHighRecords,omitempty"`
	TimeInAnyHighRecordsDelta *int     `json:"timeInAnyHighRecordsDelta,omitempty" bson:"timeInAnyHighRecordsDelta,omitempty"`

	// Averages: glucose in mmol/L; the indicator (GMI) in percent, as an estimate of HbA1c.
	HasAverageGlucoseMmol           bool     `json:"hasAverageGlucoseMmol" bson:"hasAverageGlucoseMmol"`
	AverageGlucoseMmol              *float64 `json:"averageGlucoseMmol,omitempty" bson:"averageGlucoseMmol,omitempty"`
	AverageGlucoseMmolDelta         *float64 `json:"averageGlucoseMmolDelta,omitempty" bson:"averageGlucoseMmolDelta,omitempty"`
	HasGlucoseManagementIndicator   bool     `json:"hasGlucoseManagementIndicator" bson:"hasGlucoseManagementIndicator"`
	GlucoseManagementIndicator      *float64 `json:"glucoseManagementIndicator,omitempty" bson:"glucoseManagementIndicator,omitempty"`
	GlucoseManagementIndicatorDelta *float64 `json:"glucoseManagementIndicatorDelta,omitempty" bson:"glucoseManagementIndicatorDelta,omitempty"`

	// How many readings there are, in all and per day.
	HasTotalRecords          bool     `json:"hasTotalRecords" bson:"hasTotalRecords"`
	TotalRecords             *int     `json:"totalRecords,omitempty" bson:"totalRecords,omitempty"`
	TotalRecordsDelta        *int     `json:"totalRecordsDelta,omitempty" bson:"totalRecordsDelta,omitempty"`
	HasAverageDailyRecords   bool     `json:"hasAverageDailyRecords" bson:"hasAverageDailyRecords"`
	AverageDailyRecords      *float64 `json:"averageDailyRecords,omitempty" bson:"averageDailyRecords,omitempty"`
	AverageDailyRecordsDelta *float64 `json:"averageDailyRecordsDelta,omitempty" bson:"averageDailyRecordsDelta,omitempty"`

	// Spread: standard deviation, least and greatest reading in mmol/L; the coefficient as a fraction.
	StandardDeviation           float64 `json:"standardDeviation" bson:"standardDeviation"`
	StandardDeviationDelta      float64 `json:"standardDeviationDelta" bson:"standardDeviationDelta"`
	CoefficientOfVariation      float64 `json:"coefficientOfVariation" bson:"coefficientOfVariation"`
	CoefficientOfVariationDelta float64 `json:"coefficientOfVariationDelta" bson:"coefficientOfVariationDelta"`
	Min                         float64 `json:"min" bson:"min"`
	MinDelta                    float64 `json:"minDelta" bson:"minDelta"`
	Max                         float64 `json:"max" bson:"max"`
	MaxDelta                    float64 `json:"maxDelta" bson:"maxDelta"`

	// How much of the period has data.
	DaysWithData       int `json:"daysWithData" bson:"daysWithData"`
	DaysWithDataDelta  int `json:"daysWithDataDelta" bson:"daysWithDataDelta"`
	HoursWithData      int `json:"hoursWithData" bson:"hoursWithData"`
	HoursWithDataDelta int `json:"hoursWithDataDelta" bson:"hoursWithDataDelta"`
}
