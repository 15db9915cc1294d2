package main

import "time"

// demoSummary returns statistics that differ from patient to patient, so that lists can be sorted and filtered.
func demoSummary(i int) map[string]any {
	lastData := time.Now().UTC().Add(-time.Duration(i) * 7 * time.Hour).Truncate(time.Second)
	inTarget := 0.45 + 0.04*float64(i)
	periods := map[string]any{}
	for _, period := range []string{"1d", "7d", "14d", "30d"} {
		periods[period] = demoPeriod(inTarget)
	}
	return map[string]any{"cgmStats": map[string]any{
		"id": "",
		"config": map[string]any{
			"schemaVersion": 5, "lowGlucoseThreshold": 3.9, "veryLowGlucoseThreshold": 3.0,
			"highGlucoseThreshold": 10.0, "veryHighGlucoseThreshold": 13.9,
		},
		"dates": map[string]any{
			"hasFirstData": true, "firstData": lastData.AddDate(-1, 0, 0), "hasLastData": true, "lastData": lastData,
			"hasLastUploadDate": true, "lastUploadDate": lastData.Add(time.Hour), "hasOutdatedSince": false,
		},
		"periods": periods,
	}}
}

// demoPeriod returns a period with all members that the interface requires.
func demoPeriod(inTarget float64) map[string]any {
	period := map[string]any{
		"hasAverageGlucoseMmol": true, "averageGlucoseMmol": 12 - 5*inTarget,
		"hasGlucoseManagementIndicator": true, "glucoseManagementIndicator": 9 - 2.5*inTarget,
		"hasAverageDailyRecords": true, "averageDailyRecords": 270, "hasTotalRecords": true, "totalRecords": 3780,
		"standardDeviation": 2.1, "standardDeviationDelta": 0, "coefficientOfVariation": 0.3, "coefficientOfVariationDelta": 0,
		"min": 2.8, "minDelta": 0, "max": 17.5, "maxDelta": 0,
		"daysWithData": 14, "daysWithDataDelta": 0, "hoursWithData": 320, "hoursWithDataDelta": 0,
	}
	high := 1 - inTarget - 0.05
	shares := map[string]float64{
		"CGMUse": 0.94, "InVeryLow": 0.01, "InLow": 0.03, "InAnyLow": 0.04, "InTarget": inTarget,
		"InHigh": high * 0.8, "InVeryHigh": high * 0.2, "InExtremeHigh": 0, "InAnyHigh": high,
	}
	for name, share := range shares {
		period["hasTime"+name+"Percent"], period["time"+name+"Percent"] = true, share
		period["hasTime"+name+"Records"], period["time"+name+"Records"] = true, int(share*3780)
		period["hasTime"+name+"Minutes"], period["time"+name+"Minutes"] = true, int(share*3780*5)
	}
	return period
}
