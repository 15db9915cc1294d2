package api

import (
	"strconv"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/patients"
)

// patientWire returns a stored patient as callers see it. The parts that are the same on the wire and in the store are
// shared with the stored form, not copied.
func patientWire(p *patients.Patient) gen.PatientV1 {
	return gen.PatientV1{
		Id:                     &p.UserID,
		FullName:               valueOf(p.FullName),
		BirthDate:              birthDateWire(p.BirthDate),
		Email:                  p.Email,
		Mrn:                    mrnWire(p.MRN),
		TargetDevices:          targetDevicesWire(p.TargetDevices),
		CreatedTime:            &p.CreatedTime,
		UpdatedTime:            &p.UpdatedTime,
		Permissions:            p.Permissions,
		Tags:                   tagIDsWire(p.Tags),
		Sites:                  patientSitesWire(p.Sites),
		DataSources:            dataSourcesWire(p.DataSources),
		Reviews:                reviewsWire(p.Reviews),
		ConnectionRequests:     connectionRequestsWire(p),
		Summary:                p.Summary,
		LastUploadReminderTime: p.LastUploadReminderTime,
		GlycemicRanges:         glycemicRangesWire(p.GlycemicRanges),
		DiagnosisType:          diagnosisTypeWire(p.DiagnosisType),
	}
}

// birthDateWire returns the first day of year 1 for a date that is missing or, as older profiles have it, is no date.
func birthDateWire(stored string) openapi_types.Date {
	date, err := time.Parse(time.DateOnly, stored)
	if err != nil {
		return openapi_types.Date{}
	}
	return openapi_types.Date{Time: date}
}

// mrnWire leaves an empty number out, because clients send back what they get, and an empty one is refused.
func mrnWire(stored *string) *string {
	if valueOf(stored) == "" {
		return nil
	}
	return stored
}

func targetDevicesWire(stored []string) *[]string {
	if stored == nil {
		return nil
	}
	return &stored
}

// tagIDsWire returns nil, which callers see as null, when there are no tags.
func tagIDsWire(stored patients.TagIDs) gen.PatientTagIdsV1 {
	if len(stored) == 0 {
		return nil
	}
	return gen.PatientTagIdsV1(stored)
}

func patientSitesWire(stored patients.Sites) []gen.SiteV1 {
	sites := make([]gen.SiteV1, 0, len(stored))
	for _, site := range stored {
		sites = append(sites, gen.SiteV1{Id: site.ID, Name: site.Name})
	}
	return sites
}

// dataSourcesWire keeps null and empty apart, as the store does.
func dataSourcesWire(stored *[]patients.DataSource) []patients.DataSource {
	if stored == nil {
		return nil
	}
	return *stored
}

func reviewsWire(stored []patients.Review) []patients.Review {
	if stored == nil {
		return []patients.Review{}
	}
	return stored
}

func connectionRequestsWire(p *patients.Patient) *gen.ProviderConnectionRequestsV1 {
	requests := func(provider string) []patients.ConnectionRequest {
		if stored := p.ProviderConnectionRequests[provider]; stored != nil {
			return stored
		}
		return []patients.ConnectionRequest{}
	}
	wire := gen.ProviderConnectionRequestsV1{
		Abbott: requests(patients.ProviderAbbott),
		Dexcom: requests(patients.ProviderDexcom),
		Twiist: requests(patients.ProviderTwiist),
	}
	if len(wire.Dexcom) == 0 && p.LastRequestedDexcomConnectTime != nil {
		wire.Dexcom = []patients.ConnectionRequest{{ProviderName: patients.ProviderDexcom, CreatedTime: *p.LastRequestedDexcomConnectTime}}
	}
	return &wire
}

// diagnosisTypeWire leaves out what stands for "cleared", and what callers do not know.
func diagnosisTypeWire(stored *string) *gen.DiagnosisTypeV1 {
	if stored == nil || *stored == "" || !gen.DiagnosisTypeV1(*stored).Valid() {
		return nil
	}
	diagnosis := gen.DiagnosisTypeV1(*stored)
	return &diagnosis
}

// glycemicRangesWire returns nil for ranges that callers would not understand.
func glycemicRangesWire(stored *patients.GlycemicRanges) *gen.GlycemicRangesV1 {
	if stored == nil {
		return nil
	}
	ranges := gen.GlycemicRangesV1{Type: gen.GlycemicRangesV1Type(stored.Type)}
	switch stored.Type {
	case patients.RangesPreset:
		ranges.Preset = gen.GlycemicRangesPresetV1(valueOf(stored.Preset))
		if !ranges.Preset.Valid() {
			return nil
		}
	case patients.RangesCustom:
		custom := valueOf(stored.Custom)
		ranges.Custom = gen.GlycemicRangesCustomV1{Name: custom.Name, Thresholds: make([]gen.GlycemicRangesThresholdV1, 0, len(custom.Thresholds))}
		for _, threshold := range custom.Thresholds {
			wire := thresholdWire(threshold)
			if !wire.UpperBound.Units.Valid() {
				return nil
			}
			ranges.Custom.Thresholds = append(ranges.Custom.Thresholds, wire)
		}
	default:
		return nil
	}
	return &ranges
}

func thresholdWire(stored patients.Threshold) gen.GlycemicRangesThresholdV1 {
	return gen.GlycemicRangesThresholdV1{
		Name: stored.Name, Inclusive: stored.Inclusive,
		UpperBound: gen.GlycemicRangesThresholdUpperBoundV1{
			Units: gen.GlycemicRangesThresholdUpperBoundV1Units(stored.UpperBound.Units),
			Value: asSent(stored.UpperBound.Value),
		},
	}
}

// asSent returns the number that was sent. COMPAT: it is stored as what 32 bits can hold, 3.9 as 3.9000000953674316; it is
// shown as the shortest number that 32 bits would tell apart.
func asSent(stored float64) float64 {
	const narrow = 32
	if float64(float32(stored)) != stored {
		return stored
	}
	sent, err := strconv.ParseFloat(strconv.FormatFloat(stored, 'g', -1, narrow), 64)
	if err != nil {
		return stored
	}
	return sent
}
