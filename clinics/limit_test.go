package clinics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/clinics"
)

func ptr[T any](value T) *T { return &value }

func TestLimitsHoldForUSClinicsOfTheDefaultTier(t *testing.T) {
	t.Parallel()
	stored := &clinics.PatientCountSettings{HardLimit: &clinics.PatientCountLimit{Plan: 5}, SoftLimit: &clinics.PatientCountLimit{Plan: 3}}
	for name, test := range map[string]struct {
		clinic clinics.Clinic
		want   clinics.PatientCountSettings
	}{
		"country and tier unknown": {clinics.Clinic{PatientCountSettings: stored}, *stored},
		"empty country":            {clinics.Clinic{PatientCountSettings: stored, Country: ptr("")}, *stored},
		"US":                       {clinics.Clinic{PatientCountSettings: stored, Country: ptr("US"), Tier: "tier0100"}, *stored},
		"lower case":               {clinics.Clinic{PatientCountSettings: stored, Country: ptr("us")}, clinics.PatientCountSettings{}},
		"three letters":            {clinics.Clinic{PatientCountSettings: stored, Country: ptr("USA")}, clinics.PatientCountSettings{}},
		"Canada":                   {clinics.Clinic{PatientCountSettings: stored, Country: ptr("CA")}, clinics.PatientCountSettings{}},
		"paid tier":                {clinics.Clinic{PatientCountSettings: stored, Country: ptr("US"), Tier: "tier0200"}, clinics.PatientCountSettings{}},
		"nothing stored":           {clinics.Clinic{Country: ptr("US")}, clinics.PatientCountSettings{}},
		"older form": {
			clinics.Clinic{PatientCountSettings: &clinics.PatientCountSettings{HardLimit: &clinics.PatientCountLimit{PatientCount: ptr(7)}}},
			clinics.PatientCountSettings{HardLimit: &clinics.PatientCountLimit{Plan: 7}},
		},
		"both forms": {
			clinics.Clinic{PatientCountSettings: &clinics.PatientCountSettings{HardLimit: &clinics.PatientCountLimit{Plan: 2, PatientCount: ptr(7)}}},
			clinics.PatientCountSettings{HardLimit: &clinics.PatientCountLimit{Plan: 2}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, test.clinic.EffectivePatientCountSettings())
		})
	}
	require.Nil(t, stored.HardLimit.PatientCount, "the stored form is not touched")
}

func TestCheckLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	before, after := now.Add(-time.Millisecond), now.Add(time.Millisecond)
	for name, test := range map[string]struct {
		limit clinics.PatientCountLimit
		plan  int
		want  error
	}{
		"below":          {clinics.PatientCountLimit{Plan: 2}, 1, nil},
		"reached":        {clinics.PatientCountLimit{Plan: 2}, 2, clinics.ErrTooManyPatients},
		"exceeded":       {clinics.PatientCountLimit{Plan: 2}, 9, clinics.ErrTooManyPatients},
		"nobody at all":  {clinics.PatientCountLimit{Plan: 0}, 0, clinics.ErrTooManyPatients},
		"not yet":        {clinics.PatientCountLimit{StartDate: &after}, 5, nil},
		"starts now":     {clinics.PatientCountLimit{StartDate: &now}, 5, clinics.ErrTooManyPatients},
		"no longer":      {clinics.PatientCountLimit{EndDate: &before}, 5, nil},
		"ends now":       {clinics.PatientCountLimit{EndDate: &now}, 5, clinics.ErrTooManyPatients},
		"in between":     {clinics.PatientCountLimit{StartDate: &before, EndDate: &after}, 5, clinics.ErrTooManyPatients},
		"started, ended": {clinics.PatientCountLimit{StartDate: &before, EndDate: &before}, 5, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clinic := clinics.Clinic{
				PatientCountSettings: &clinics.PatientCountSettings{HardLimit: &test.limit},
				PatientCount:         &clinics.PatientCount{Plan: test.plan, Total: 100},
			}
			require.ErrorIs(t, clinic.CheckLimit(now), test.want)
			clinic.PatientCountSettings = &clinics.PatientCountSettings{SoftLimit: &test.limit}
			require.NoError(t, clinic.CheckLimit(now), "the soft limit refuses nobody")
		})
	}
}
