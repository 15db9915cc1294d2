package api

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
)

var errNoCutoff = errs.Because("parameter_invalid", errs.BadRequestf("no lastDataCutoff provided"))

// TideReport answers with the patients of a clinic who need attention.
func (h *Handlers) TideReport(ctx context.Context, r gen.TideReportRequestObject) (gen.TideReportResponseObject, error) {
	if r.Params.LastDataCutoff.IsZero() {
		return nil, errNoCutoff
	}
	query := roster.TideQuery{ClinicID: r.ClinicId, Period: r.Params.Period, Cutoff: r.Params.LastDataCutoff, ExcludeNoData: r.Params.ExcludeNoData}
	var err error
	if query.Tags, query.Sites, err = roster.ParseGroups(requestFrom(ctx).query); err != nil {
		return nil, err
	}
	for _, category := range r.Params.Categories {
		query.Categories = append(query.Categories, string(category))
	}
	report, err := h.services.Roster.Tide(ctx, query)
	if err != nil {
		return nil, err
	}
	return gen.TideReport200JSONResponse{Config: tideConfig(r), Results: tideResultsWire(report, r.Params.Period)}, nil
}

// tideConfig repeats what was asked for. COMPAT: the limits are always these, whatever the categories; and tags are a list.
func tideConfig(r gen.TideReportRequestObject) gen.TideConfigV1 {
	tags := append([]bson.ObjectID{}, r.Params.Tags...)
	return gen.TideConfigV1{
		ClinicId:                    &r.ClinicId,
		Period:                      r.Params.Period,
		LastDataCutoff:              r.Params.LastDataCutoff,
		Tags:                        &tags,
		Sites:                       r.Params.Sites,
		TagsMatch:                   (*string)(r.Params.TagsMatch),
		SitesMatch:                  (*string)(r.Params.SitesMatch),
		SchemaVersion:               2,
		VeryLowGlucoseThreshold:     3.0,
		LowGlucoseThreshold:         3.9,
		HighGlucoseThreshold:        10.0,
		VeryHighGlucoseThreshold:    13.9,
		ExtremeHighGlucoseThreshold: new(19.4),
		Filters: gen.TideFiltersV1{
			TimeInVeryLowPercent:      new(">0.01"),
			TimeInAnyLowPercent:       new(">0.04"),
			DropInTimeInTargetPercent: new("<-0.15"),
			TimeInTargetPercent:       new("<0.7"),
			TimeCGMUsePercent:         new("<0.7"),
		},
	}
}

func tideResultsWire(report roster.TideReport, period string) gen.TideResultsV1 {
	results := make(gen.TideResultsV1, len(report))
	for category, list := range report {
		rows := make([]gen.TideResultPatientV1, 0, len(list))
		for _, patient := range list {
			rows = append(rows, tideRowWire(patient, period))
		}
		results[category] = rows
	}
	return results
}

func tideRowWire(p *patients.Patient, period string) gen.TideResultPatientV1 {
	row := gen.TideResultPatientV1{Patient: gen.TidePatientV1{
		Id:          &p.UserID,
		FullName:    p.FullName,
		Email:       p.Email,
		Tags:        new(tagIDsWire(p.Tags)),
		Reviews:     reviewsWire(p.Reviews),
		DataSources: dataSourcesWire(p.DataSources),
	}}
	if p.Summary == nil || p.Summary.CGMStats == nil {
		return row
	}
	statistics := p.Summary.CGMStats.Periods[period]
	row.LastData = p.Summary.CGMStats.Dates.LastData
	row.AverageGlucoseMmol = statistics.AverageGlucoseMmol
	row.GlucoseManagementIndicator = statistics.GlucoseManagementIndicator
	row.TimeCGMUseMinutes = statistics.TimeCGMUseMinutes
	row.TimeCGMUsePercent = statistics.TimeCGMUsePercent
	row.TimeInVeryLowPercent = statistics.TimeInVeryLowPercent
	row.TimeInLowPercent = statistics.TimeInLowPercent
	row.TimeInAnyLowPercent = statistics.TimeInAnyLowPercent
	row.TimeInTargetPercent = statistics.TimeInTargetPercent
	row.TimeInTargetPercentDelta = statistics.TimeInTargetPercentDelta
	row.TimeInHighPercent = statistics.TimeInHighPercent
	row.TimeInVeryHighPercent = statistics.TimeInVeryHighPercent
	row.TimeInExtremeHighPercent = statistics.TimeInExtremeHighPercent
	row.TimeInAnyHighPercent = statistics.TimeInAnyHighPercent
	return row
}
