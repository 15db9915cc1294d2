package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/tidepool-org/clinic/summary"
)

// demoSummary returns statistics that differ from patient to patient, so that lists can be sorted and filtered: of a sensor, of a
// meter, or of both.
func demoSummary(i int) (map[string]any, error) {
	result := map[string]any{}
	if i%3 != 2 {
		stats, err := demoStats(fmt.Sprintf("%024x", 2*i+1), i, summary.CGMPeriod{})
		if err != nil {
			return nil, err
		}
		result["cgmStats"] = stats
	}
	if i%3 != 1 {
		stats, err := demoStats(fmt.Sprintf("%024x", 2*i+2), i, summary.BGMPeriod{})
		if err != nil {
			return nil, err
		}
		result["bgmStats"] = stats
	}
	return result, nil
}

// demoStats returns statistics with periods of the form of the empty one.
func demoStats(id string, i int, empty any) (map[string]any, error) {
	lastData := time.Now().UTC().Add(-time.Duration((i*i)%240) * 2 * time.Hour).Truncate(time.Second)
	periods := map[string]any{}
	for _, days := range []int{1, 7, 14, 30} {
		period, err := demoPeriod(i, days, empty)
		if err != nil {
			return nil, err
		}
		periods[fmt.Sprintf("%dd", days)] = period
	}
	return map[string]any{
		"id": id,
		"config": map[string]any{
			"schemaVersion": 5, "lowGlucoseThreshold": 3.9, "veryLowGlucoseThreshold": 3.0,
			"highGlucoseThreshold": 10.0, "veryHighGlucoseThreshold": 13.9,
		},
		"dates": map[string]any{
			"hasFirstData": true, "firstData": lastData.AddDate(-1, 0, 0), "hasLastData": true, "lastData": lastData,
			"hasLastUploadDate": true, "lastUploadDate": lastData.Add(time.Hour), "hasOutdatedSince": false,
		},
		"periods": periods,
	}, nil
}

// demoPeriod returns a period with all members that the interface requires, which those of the empty one are.
func demoPeriod(i, days int, empty any) (map[string]any, error) {
	encoded, err := json.Marshal(empty)
	if err != nil {
		return nil, err
	}
	period := map[string]any{}
	if err := json.Unmarshal(encoded, &period); err != nil {
		return nil, err
	}
	inTarget := 0.35 + 0.6*float64((i*53)%100)/100
	inVeryLow, inLow := 0.02*float64(i%4)/3, 0.06*float64((i*11)%7)/6
	high := max(0, 1-inTarget-inVeryLow-inLow)
	use := 0.5 + 0.49*float64((i*29)%50)/49
	records := days * 270
	maps.Copy(period, map[string]any{
		"hasAverageGlucoseMmol": true, "averageGlucoseMmol": 12 - 5*inTarget,
		"hasGlucoseManagementIndicator": true, "glucoseManagementIndicator": 9 - 2.5*inTarget,
		"hasAverageDailyRecords": true, "averageDailyRecords": 270, "hasTotalRecords": true, "totalRecords": records,
		"standardDeviation": 2.1, "coefficientOfVariation": 0.2 + 0.002*float64(i%100), "min": 2.8, "max": 17.5,
		"daysWithData": days, "hoursWithData": days * 23,
		"timeInTargetPercentDelta": -0.2 + 0.01*float64((i*3)%40),
	})
	shares := map[string]float64{
		"CGMUse": use, "InVeryLow": inVeryLow, "InLow": inLow, "InAnyLow": inVeryLow + inLow, "InTarget": inTarget,
		"InHigh": high * 0.7, "InVeryHigh": high * 0.3, "InExtremeHigh": high * 0.05, "InAnyHigh": high,
	}
	for name, share := range shares {
		for unit, value := range map[string]any{"Percent": share, "Records": int(share * float64(records)), "Minutes": int(share * float64(records) * 5)} {
			if _, known := period["hasTime"+name+unit]; known {
				period["hasTime"+name+unit], period["time"+name+unit] = true, value
			}
		}
	}
	return period, nil
}
