package api

import (
	"math"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/patients"
)

// patientDetails returns what a caller entered. Members that callers cannot set are ignored, so that a patient as it was
// read can be sent back.
func patientDetails(body *gen.PatientV1) (patients.Details, error) {
	if err := checkTimes(dataSourceTimes(body.DataSources), reviewTimes(body.Reviews)); err != nil {
		return patients.Details{}, err
	}
	ranges, err := glycemicRanges(body.GlycemicRanges)
	if err != nil {
		return patients.Details{}, err
	}
	return patients.Details{
		FullName:       body.FullName,
		BirthDate:      body.BirthDate.Format(time.DateOnly),
		Email:          body.Email,
		MRN:            trimmed(body.Mrn),
		TargetDevices:  valueOf(body.TargetDevices),
		Tags:           body.Tags,
		Sites:          siteIDs(body.Sites),
		DataSources:    body.DataSources,
		Reviews:        body.Reviews,
		GlycemicRanges: ranges,
		DiagnosisType:  (*string)(body.DiagnosisType),
	}, nil
}

// existingUser returns the user that a caller wants to make a patient. An absent body asks for nothing in particular.
func existingUser(userID string, body *gen.CreatePatientV1) (patients.ExistingUser, error) {
	if body == nil {
		body = &gen.CreatePatientV1{}
	}
	ranges, err := glycemicRanges(body.GlycemicRanges)
	if err != nil {
		return patients.ExistingUser{}, err
	}
	user := patients.ExistingUser{
		UserID:            userID,
		FullName:          valueOf(body.FullName),
		MRN:               patients.TrimMRN(valueOf(body.Mrn)),
		Permissions:       body.Permissions,
		Tags:              valueOf(body.Tags),
		Sites:             siteIDs(body.Sites),
		GlycemicRanges:    ranges,
		DiagnosisType:     (*string)(body.DiagnosisType),
		IsMigrated:        valueOf(body.IsMigrated),
		LegacyClinicianID: body.LegacyClinicianId,
	}
	if body.BirthDate != nil {
		user.BirthDate = body.BirthDate.Format(time.DateOnly)
	}
	return user, nil
}

// trimmed returns a medical record number without blanks around it, nil for none.
func trimmed(mrn *string) *string {
	if mrn == nil {
		return nil
	}
	return new(patients.TrimMRN(*mrn))
}

// siteIDs returns the ids alone: names come from the clinic. It keeps nil and empty apart.
func siteIDs(sites []gen.SiteV1) []bson.ObjectID {
	if sites == nil {
		return nil
	}
	ids := make([]bson.ObjectID, 0, len(sites))
	for _, site := range sites {
		ids = append(ids, site.Id)
	}
	return ids
}

// glycemicRanges keeps the member that the type speaks of, and fills in the defaults of the interface document.
func glycemicRanges(body *gen.GlycemicRangesV1) (*patients.GlycemicRanges, error) {
	if body == nil {
		return nil, nil // no ranges are a valid wish
	}
	if body.Type == gen.Custom {
		custom, err := customRanges(body.Custom)
		return &patients.GlycemicRanges{Type: patients.RangesCustom, Custom: custom}, err
	}
	preset := string(body.Preset)
	if preset == "" {
		preset = string(gen.ADAStandard)
	}
	return &patients.GlycemicRanges{Type: patients.RangesPreset, Preset: &preset}, nil
}

// errThresholdRange tells that a threshold is no number of the format that the document gives.
var errThresholdRange = errs.Because("threshold_out_of_range", errs.BadRequestf("the value of a threshold is out of range"))

func customRanges(body gen.GlycemicRangesCustomV1) (*patients.CustomRanges, error) {
	if body.Name == "" && body.Thresholds == nil {
		return nil, nil // ranges of the type custom may lack them
	}
	custom := patients.CustomRanges{Name: body.Name, Thresholds: make([]patients.Threshold, 0, len(body.Thresholds))}
	for _, threshold := range body.Thresholds {
		if math.Abs(threshold.UpperBound.Value) > math.MaxFloat32 {
			return nil, errThresholdRange
		}
		custom.Thresholds = append(custom.Thresholds, patients.Threshold{
			Name: threshold.Name, Inclusive: threshold.Inclusive,
			UpperBound: patients.UpperBound{Value: threshold.UpperBound.Value, Units: string(threshold.UpperBound.Units)},
		})
	}
	return &custom, nil
}

func dataSourceTimes(sources []patients.DataSource) []*time.Time {
	times := make([]*time.Time, 0, len(sources))
	for _, source := range sources {
		times = append(times, source.ModifiedTime, source.ExpirationTime, source.LatestDataTime)
	}
	return times
}

func reviewTimes(reviews []patients.Review) []*time.Time {
	times := make([]*time.Time, 0, len(reviews))
	for i := range reviews {
		times = append(times, &reviews[i].Time)
	}
	return times
}

var errTimeRange = errs.Because("time_out_of_range", errs.BadRequestf("a time is out of range"))

// checkTimes makes times be what the store will hold, in UTC and in milliseconds, and refuses those whose year no answer
// can hold.
func checkTimes(lists ...[]*time.Time) error {
	const lastYear = 9999
	for _, t := range slices.Concat(lists...) {
		if t == nil {
			continue
		}
		*t = t.UTC().Truncate(time.Millisecond)
		if t.Year() < 0 || t.Year() > lastYear {
			return errTimeRange
		}
	}
	return nil
}
