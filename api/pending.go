package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/internal/errs"
)

// errPending answers operations that are not there yet.
var errPending = errs.New(errs.Unsupported, "not implemented: this operation is not available yet")

func (*Handlers) AssignPatientTagToClinicPatients(context.Context, gen.AssignPatientTagToClinicPatientsRequestObject) (gen.AssignPatientTagToClinicPatientsResponseObject, error) {
	return nil, errPending
}

func (*Handlers) ConvertPatientTagToSite(context.Context, gen.ConvertPatientTagToSiteRequestObject) (gen.ConvertPatientTagToSiteResponseObject, error) {
	return nil, errPending
}

func (*Handlers) CreatePatientTag(context.Context, gen.CreatePatientTagRequestObject) (gen.CreatePatientTagResponseObject, error) {
	return nil, errPending
}

func (*Handlers) CreateSite(context.Context, gen.CreateSiteRequestObject) (gen.CreateSiteResponseObject, error) {
	return nil, errPending
}

func (*Handlers) DeletePatientTag(context.Context, gen.DeletePatientTagRequestObject) (gen.DeletePatientTagResponseObject, error) {
	return nil, errPending
}

func (*Handlers) DeletePatientTagFromClinicPatients(context.Context, gen.DeletePatientTagFromClinicPatientsRequestObject) (gen.DeletePatientTagFromClinicPatientsResponseObject, error) {
	return nil, errPending
}

func (*Handlers) DeleteSite(context.Context, gen.DeleteSiteRequestObject) (gen.DeleteSiteResponseObject, error) {
	return nil, errPending
}

func (*Handlers) FindPatients(context.Context, gen.FindPatientsRequestObject) (gen.FindPatientsResponseObject, error) {
	return nil, errPending
}

func (*Handlers) GenerateMergeReport(context.Context, gen.GenerateMergeReportRequestObject) (gen.GenerateMergeReportResponseObject, error) {
	return nil, errPending
}

func (*Handlers) ListClinicsForPatient(context.Context, gen.ListClinicsForPatientRequestObject) (gen.ListClinicsForPatientResponseObject, error) {
	return nil, errPending
}

func (*Handlers) ListPatients(context.Context, gen.ListPatientsRequestObject) (gen.ListPatientsResponseObject, error) {
	return nil, errPending
}

func (*Handlers) MergeClinic(context.Context, gen.MergeClinicRequestObject) (gen.MergeClinicResponseObject, error) {
	return nil, errPending
}

func (*Handlers) MergeSite(context.Context, gen.MergeSiteRequestObject) (gen.MergeSiteResponseObject, error) {
	return nil, errPending
}

func (*Handlers) TideReport(context.Context, gen.TideReportRequestObject) (gen.TideReportResponseObject, error) {
	return nil, errPending
}

func (*Handlers) UpdatePatientTag(context.Context, gen.UpdatePatientTagRequestObject) (gen.UpdatePatientTagResponseObject, error) {
	return nil, errPending
}

func (*Handlers) UpdateSite(context.Context, gen.UpdateSiteRequestObject) (gen.UpdateSiteResponseObject, error) {
	return nil, errPending
}

func (*Handlers) ViewPDFReport(context.Context, gen.ViewPDFReportRequestObject) (gen.ViewPDFReportResponseObject, error) {
	return nil, errPending
}

func (*Handlers) XealthGetProgramUrl(context.Context, gen.XealthGetProgramUrlRequestObject) (gen.XealthGetProgramUrlResponseObject, error) {
	return nil, errPending
}

func (*Handlers) XealthGetPrograms(context.Context, gen.XealthGetProgramsRequestObject) (gen.XealthGetProgramsResponseObject, error) {
	return nil, errPending
}

func (*Handlers) XealthNotification(context.Context, gen.XealthNotificationRequestObject) (gen.XealthNotificationResponseObject, error) {
	return nil, errPending
}

func (*Handlers) XealthPreorder(context.Context, gen.XealthPreorderRequestObject) (gen.XealthPreorderResponseObject, error) {
	return nil, errPending
}
