package api

import (
	"context"
	"time"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
)

// GetPatientCount returns how many patients a clinic has.
func (h *Handlers) GetPatientCount(ctx context.Context, r gen.GetPatientCountRequestObject) (gen.GetPatientCountResponseObject, error) {
	count, err := h.services.Census.PatientCount(ctx, r.ClinicId)
	if err != nil {
		return nil, err
	}
	wire := gen.PatientCountV1{Total: count.Total, Demo: count.Demo, Plan: count.Plan}
	if len(count.Providers) > 0 {
		providers := make(map[string]gen.PatientProviderCountV1, len(count.Providers))
		for name, provider := range count.Providers {
			providers[name] = gen.PatientProviderCountV1(provider)
		}
		wire.Providers = &providers
	}
	return gen.GetPatientCount200JSONResponse(wire), nil
}

// RefreshPatientCount counts the patients of a clinic one by one.
func (h *Handlers) RefreshPatientCount(ctx context.Context, r gen.RefreshPatientCountRequestObject) (gen.RefreshPatientCountResponseObject, error) {
	if err := h.services.Census.Refresh(ctx, r.ClinicId); err != nil {
		return nil, err
	}
	return gen.RefreshPatientCount200Response{}, nil
}

// GetPatientCountSettings returns the limits that hold for a clinic.
func (h *Handlers) GetPatientCountSettings(
	ctx context.Context, r gen.GetPatientCountSettingsRequestObject,
) (gen.GetPatientCountSettingsResponseObject, error) {
	clinic, err := h.services.Clinics.Get(ctx, r.ClinicId)
	if err != nil {
		return nil, err
	}
	return gen.GetPatientCountSettings200JSONResponse(countSettingsWire(clinic)), nil
}

// UpdatePatientCountSettings replaces the limits of a clinic. COMPAT: no body means no limits.
func (h *Handlers) UpdatePatientCountSettings(
	ctx context.Context, r gen.UpdatePatientCountSettingsRequestObject,
) (gen.UpdatePatientCountSettingsResponseObject, error) {
	settings, err := countSettings(valueOf(r.Body))
	if err != nil {
		return nil, err
	}
	clinic, err := h.services.Clinics.SetPatientCountSettings(ctx, r.ClinicId, settings)
	if err != nil {
		return nil, err
	}
	return gen.UpdatePatientCountSettings200JSONResponse(countSettingsWire(clinic)), nil
}

func countSettings(body gen.PatientCountSettingsV1) (settings clinics.PatientCountSettings, err error) {
	if settings.HardLimit, err = countLimit(body.HardLimit); err != nil {
		return settings, err
	}
	settings.SoftLimit, err = countLimit(body.SoftLimit)
	return settings, err
}

func countLimit(body *gen.PatientCountLimitV1) (*clinics.PatientCountLimit, error) {
	if body == nil {
		return nil, nil
	}
	start, err := instant("startDate", body.StartDate)
	if err != nil {
		return nil, err
	}
	end, err := instant("endDate", body.EndDate)
	if err != nil {
		return nil, err
	}
	return &clinics.PatientCountLimit{Plan: body.Plan, StartDate: start, EndDate: end}, nil
}

var reasonTime = errs.NewReason("time_invalid")

// instant parses what the pattern of the interface document lets pass although it names no instant: a day that does not
// exist, or a time without zone.
func instant(member string, text *string) (*time.Time, error) {
	if text == nil {
		return nil, nil
	}
	parsed, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return nil, reasonTime.Of(errs.BadRequestf("%s is not a time with a zone", member))
	}
	return &parsed, nil
}

func countSettingsWire(clinic *clinics.Clinic) gen.PatientCountSettingsV1 {
	settings := clinic.EffectivePatientCountSettings()
	return gen.PatientCountSettingsV1{HardLimit: countLimitWire(settings.HardLimit), SoftLimit: countLimitWire(settings.SoftLimit)}
}

func countLimitWire(limit *clinics.PatientCountLimit) *gen.PatientCountLimitV1 {
	if limit == nil {
		return nil
	}
	return &gen.PatientCountLimitV1{Plan: limit.Plan, StartDate: instantWire(limit.StartDate), EndDate: instantWire(limit.EndDate)}
}

func instantWire(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return new(t.UTC().Format(time.RFC3339Nano))
}
