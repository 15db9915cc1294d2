package api

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/summary"
)

// UpdatePatientDataSources sets the data sources of a user in all clinics. An absent body clears them.
func (h *Handlers) UpdatePatientDataSources(ctx context.Context, r gen.UpdatePatientDataSourcesRequestObject) (gen.UpdatePatientDataSourcesResponseObject, error) {
	sources := valueOf(r.Body)
	if err := checkTimes(dataSourceTimes(sources)); err != nil {
		return nil, err
	}
	if err := h.services.Patients.ReplaceDataSources(ctx, r.UserId, sources); err != nil {
		return nil, err
	}
	return gen.UpdatePatientDataSources200Response{}, nil
}

// UpdatePatientSummary stores the statistics of a user in all clinics. An absent body removes them.
func (h *Handlers) UpdatePatientSummary(ctx context.Context, r gen.UpdatePatientSummaryRequestObject) (gen.UpdatePatientSummaryResponseObject, error) {
	if err := checkSummary(r.Body); err != nil {
		return nil, err
	}
	stored, err := h.services.Patients.SetSummary(ctx, r.PatientId, r.Body)
	if err != nil {
		return nil, err
	}
	if !stored {
		return nil, errNoChange
	}
	return gen.UpdatePatientSummary200Response{}, nil
}

// DeletePatientSummary removes the statistics with an id from all patients.
func (h *Handlers) DeletePatientSummary(ctx context.Context, r gen.DeletePatientSummaryRequestObject) (gen.DeletePatientSummaryResponseObject, error) {
	removed, err := h.services.Patients.RemoveSummary(ctx, r.SummaryId)
	if err != nil {
		return nil, err
	}
	if !removed {
		return nil, errNoChange
	}
	return gen.DeletePatientSummary200Response{}, nil
}

var errPeriodName = errs.Because("period_invalid", errs.BadRequestf("the name of a period is not valid"))

// checkSummary refuses what the interface document allows but the store or an answer cannot hold.
func checkSummary(statistics *summary.Summary) error {
	if statistics == nil {
		return nil
	}
	var dates []summary.Dates
	var periods []string
	if cgm := statistics.CGMStats; cgm != nil {
		dates, periods = append(dates, cgm.Dates), slices.AppendSeq(periods, maps.Keys(cgm.Periods))
	}
	if bgm := statistics.BGMStats; bgm != nil {
		dates, periods = append(dates, bgm.Dates), slices.AppendSeq(periods, maps.Keys(bgm.Periods))
	}
	for _, d := range dates {
		times := []*time.Time{d.LastUpdatedDate, d.FirstData, d.LastData, d.LastUploadDate, d.OutdatedSince, d.OutdatedSinceLimit}
		if err := checkTimes(times); err != nil {
			return err
		}
	}
	for _, period := range periods {
		if period == "" || strings.ContainsAny(period, ".$\x00") {
			return errPeriodName
		}
	}
	return nil
}
