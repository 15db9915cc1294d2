package api

import (
	"context"
	"fmt"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/merge"
)

// MergeClinic merges the clinic of the body into the one of the path.
func (h *Handlers) MergeClinic(ctx context.Context, r gen.MergeClinicRequestObject) (gen.MergeClinicResponseObject, error) {
	source := valueOf(r.Body).SourceId
	if source == nil {
		return nil, errNoSource
	}
	if err := h.services.Merge.Merge(ctx, *source, r.ClinicId); err != nil {
		return nil, err
	}
	return gen.MergeClinic200Response{}, nil
}

// GenerateMergeReport shows what a merge would do. COMPAT: only exactly this Accept header asks for JSON.
func (h *Handlers) GenerateMergeReport(ctx context.Context, r gen.GenerateMergeReportRequestObject) (gen.GenerateMergeReportResponseObject, error) {
	source := valueOf(r.Body).SourceId
	if source == nil {
		return nil, errNoSource
	}
	plan, err := h.services.Merge.Plan(ctx, *source, r.ClinicId)
	if err != nil {
		return nil, err
	}
	if requestFrom(ctx).header.Get(echo.HeaderAccept) == echo.MIMEApplicationJSON {
		return gen.GenerateMergeReport200JSONResponse{Body: mergePlanWire(plan.Report())}, nil
	}
	now := time.Now()
	workbook, err := plan.Workbook(now)
	if err != nil {
		return nil, err
	}
	disposition := fmt.Sprintf("attachment; filename=merge-report-%d.xlsx", now.Unix())
	return gen.GenerateMergeReport200ApplicationvndMsExcelResponse{
		Body: workbook, ContentLength: int64(workbook.Len()), Headers: gen.GenerateMergeReport200ResponseHeaders{ContentDisposition: &disposition},
	}, nil
}

var errNoSource = errs.Because("source_required", errs.BadRequestf("sourceId is required"))

func mergePlanWire(report merge.Report) gen.MergePlanV1 {
	wire := gen.MergePlanV1{
		Source: report.Source, Target: report.Target, CreatedTime: report.CreatedTime,
		SourcePatientClusters: report.SourcePatientClusters, TargetPatientClusters: report.TargetPatientClusters,
		SettingsPlans: report.SettingsPlans, TagsPlans: report.TagsPlans, SitesPlans: report.SitesPlans,
		ClinicianPlans: report.ClinicianPlans, PatientPlans: report.PatientPlans,
	}
	wire.MembershipRestrictionsMergePlan.SourceValue = report.MembershipRestrictionsMergePlan.SourceValue
	wire.MembershipRestrictionsMergePlan.TargetValue = report.MembershipRestrictionsMergePlan.TargetValue
	return wire
}
