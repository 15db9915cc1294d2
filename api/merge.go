package api

import (
	"context"
	"fmt"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/merge"
)

// MergeClinic merges the clinic of the body into the one of the path.
func (h *Handlers) MergeClinic(ctx context.Context, request gen.MergeClinicRequestObject) (gen.MergeClinicResponseObject, error) {
	if request.Body == nil {
		return nil, errNoSource
	}
	source, target, err := mergedClinics(request.Body.SourceId, request.ClinicId)
	if err != nil {
		return nil, err
	}
	return gen.MergeClinic200Response{}, h.services.Merge.Merge(ctx, source, target)
}

// GenerateMergeReport shows what a merge would do. COMPAT: only exactly this Accept header asks for JSON.
func (h *Handlers) GenerateMergeReport(ctx context.Context, request gen.GenerateMergeReportRequestObject) (gen.GenerateMergeReportResponseObject, error) {
	if request.Body == nil {
		return nil, errNoSource
	}
	source, target, err := mergedClinics(request.Body.SourceId, request.ClinicId)
	if err != nil {
		return nil, err
	}
	plan, err := h.services.Merge.Plan(ctx, source, target)
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

var errNoSource = errs.BadRequestf("sourceId is required")

func mergedClinics(source *string, target string) (sourceID, targetID bson.ObjectID, err error) {
	if source == nil {
		return sourceID, targetID, errNoSource
	}
	if sourceID, err = objectID(*source); err != nil {
		return sourceID, targetID, err
	}
	targetID, err = objectID(target)
	return sourceID, targetID, err
}

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
