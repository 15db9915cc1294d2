package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/internal/errs"
)

// errPending answers operations that are not there yet.
var errPending = errs.New(errs.Unsupported, "not implemented: this operation is not available yet")

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
