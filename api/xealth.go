package api

import (
	"context"
	"encoding/json"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/xealth"
)

// XealthPreorder answers a step of placing an order.
func (h *Handlers) XealthPreorder(ctx context.Context, _ gen.XealthPreorderRequestObject) (gen.XealthPreorderResponseObject, error) {
	body, err := rawBody(ctx) // the media type does not matter here
	if err != nil {
		return nil, err
	}
	var message xealth.Request
	if err := json.Unmarshal(body, &message); err != nil {
		return nil, decodeError(err)
	}
	answer, err := h.services.Xealth.Preorder(ctx, message)
	if err != nil || answer.Form == nil {
		return gen.XealthPreorder200JSONResponse{}, err
	}
	return gen.XealthPreorder200JSONResponse{
		DataTrackingId: &answer.TrackingID,
		NotOrderable:   &answer.NotOrderable,
		PreorderFormInfo: &gen.XealthFormInfoV1{
			FormId:     gen.XealthFormInfoV1FormId(answer.Form.ID),
			FormSchema: answer.Form.Schema,
			UiSchema:   answer.Form.UI,
			FormData:   answer.Form.Data,
		},
	}, nil
}

// XealthNotification takes note of an event of an order.
func (h *Handlers) XealthNotification(ctx context.Context, _ gen.XealthNotificationRequestObject) (gen.XealthNotificationResponseObject, error) {
	var message xealth.Notification
	if err := bindPartner(ctx, &message); err != nil {
		return nil, err
	}
	if err := h.services.Xealth.Notify(ctx, message); err != nil {
		return nil, err
	}
	return gen.XealthNotification200Response{}, nil
}

// XealthGetPrograms tells which program a patient is in.
func (h *Handlers) XealthGetPrograms(ctx context.Context, _ gen.XealthGetProgramsRequestObject) (gen.XealthGetProgramsResponseObject, error) {
	var message xealth.Request
	if err := bindPartner(ctx, &message); err != nil {
		return nil, err
	}
	program, err := h.services.Xealth.Program(ctx, message)
	if err != nil || program == nil {
		return gen.XealthGetPrograms200JSONResponse{}, err
	}
	return gen.XealthGetPrograms200JSONResponse{Present: true, Programs: &[]gen.XealthProgramV1{{
		ProgramId: program.ID, Title: program.Title, EnrolledDate: program.EnrolledDate, Description: program.Description,
		HasAlert: program.HasAlert, HasStatusView: program.HasStatusView,
	}}}, nil
}

// XealthGetProgramUrl tells where the report of a patient is to be seen.
//
//nolint:staticcheck // the name is that of the operation
func (h *Handlers) XealthGetProgramUrl(ctx context.Context, _ gen.XealthGetProgramUrlRequestObject) (gen.XealthGetProgramUrlResponseObject, error) {
	var message xealth.Request
	if err := bindPartner(ctx, &message); err != nil {
		return nil, err
	}
	address, err := h.services.Xealth.ProgramURL(ctx, message)
	if err != nil {
		return nil, err
	}
	return gen.XealthGetProgramUrl200JSONResponse{Url: address}, nil
}
