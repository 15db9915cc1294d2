package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
)

// defaultReportCadence is shown for a cadence that is stored empty.
const defaultReportCadence = "14d"

// GetEHRSettings returns how a clinic is connected to its health record system.
func (h *Handlers) GetEHRSettings(ctx context.Context, r gen.GetEHRSettingsRequestObject) (gen.GetEHRSettingsResponseObject, error) {
	clinic, err := h.services.Clinics.Get(ctx, r.ClinicId)
	if err != nil {
		return nil, err
	}
	if clinic.EHRSettings == nil {
		return nil, clinics.ErrSettingsNotFound
	}
	return gen.GetEHRSettings200JSONResponse(ehrSettingsWire(*clinic.EHRSettings)), nil
}

// UpdateEHRSettings replaces how a clinic is connected to its health record system.
func (h *Handlers) UpdateEHRSettings(ctx context.Context, r gen.UpdateEHRSettingsRequestObject) (gen.UpdateEHRSettingsResponseObject, error) {
	settings := ehrSettings(*r.Body)
	if err := h.services.Clinics.SetEHRSettings(ctx, r.ClinicId, settings); err != nil {
		return nil, err
	}
	return gen.UpdateEHRSettings200JSONResponse(ehrSettingsWire(settings)), nil
}

func ehrSettings(body gen.EhrSettingsV1) clinics.EHRSettings {
	settings := clinics.EHRSettings{
		Enabled: body.Enabled, Provider: string(body.Provider), SourceID: body.SourceId, MRNIDType: body.MrnIdType,
		DestinationIDs:   (*clinics.EHRDestinations)(body.DestinationIds),
		ProcedureCodes:   procedureCodes(body.ProcedureCodes),
		ScheduledReports: clinics.ScheduledReports{Cadence: string(body.ScheduledReports.Cadence), OnUploadEnabled: body.ScheduledReports.OnUploadEnabled},
		Tags:             clinics.EHRTags{Codes: valueOf(body.Tags.Codes), Separator: body.Tags.Separator},
		Flowsheets:       clinics.EHRFlowsheets{ICode: body.Flowsheets.Icode},
		Notes:            clinics.EHRNotes{IncludeGMI: body.Notes.IncludeGMI},
	}
	if body.ScheduledReports.OnUploadEnabled {
		settings.ScheduledReports.OnUploadNoteEventType = (*string)(body.ScheduledReports.OnUploadNoteEventType)
	}
	return settings
}

func procedureCodes(body gen.EhrProceduresV1) clinics.EHRProcedures {
	return clinics.EHRProcedures{
		EnableSummaryReports: body.EnableSummaryReports, DisableSummaryReports: body.DisableSummaryReports,
		CreateAccount: body.CreateAccount, CreateAccountAndEnableReports: body.CreateAccountAndEnableReports,
	}
}

func ehrSettingsWire(settings clinics.EHRSettings) gen.EhrSettingsV1 {
	wire := gen.EhrSettingsV1{
		Enabled: settings.Enabled, Provider: gen.EhrSettingsV1Provider(settings.Provider), SourceId: settings.SourceID,
		MrnIdType:      settings.MRNType(),
		DestinationIds: (*gen.EhrDestinationsV1)(settings.DestinationIDs),
		ProcedureCodes: gen.EhrProceduresV1{
			EnableSummaryReports: settings.ProcedureCodes.EnableSummaryReports, DisableSummaryReports: settings.ProcedureCodes.DisableSummaryReports,
			CreateAccount: settings.ProcedureCodes.CreateAccount, CreateAccountAndEnableReports: settings.ProcedureCodes.CreateAccountAndEnableReports,
		},
		ScheduledReports: gen.ScheduledReportsV1{
			Cadence:         gen.ScheduledReportsV1Cadence(orDefault(settings.ScheduledReports.Cadence, defaultReportCadence)),
			OnUploadEnabled: settings.ScheduledReports.OnUploadEnabled,
		},
		Tags:       gen.EhrTagsSettingsV1{Codes: &settings.Tags.Codes, Separator: settings.Tags.Separator},
		Flowsheets: gen.EhrFlowsheetSettingsV1{Icode: settings.Flowsheets.ICode},
		Notes:      gen.EhrNoteSettingsV1{IncludeGMI: settings.Notes.IncludeGMI},
	}
	if settings.ScheduledReports.OnUploadEnabled {
		wire.ScheduledReports.OnUploadNoteEventType = (*gen.ScheduledReportsV1OnUploadNoteEventType)(settings.ScheduledReports.OnUploadNoteEventType)
	}
	return wire
}

func orDefault(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
