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

func TestPlanLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	before, after := now.Add(-time.Millisecond), now.Add(time.Millisecond)
	for name, test := range map[string]struct {
		limit clinics.PatientCountLimit
		want  *int
	}{
		"always":         {clinics.PatientCountLimit{Plan: 2}, ptr(2)},
		"nobody at all":  {clinics.PatientCountLimit{Plan: 0}, ptr(0)},
		"older form":     {clinics.PatientCountLimit{PatientCount: ptr(7)}, ptr(7)},
		"not yet":        {clinics.PatientCountLimit{StartDate: &after}, nil},
		"starts now":     {clinics.PatientCountLimit{Plan: 3, StartDate: &now}, ptr(3)},
		"no longer":      {clinics.PatientCountLimit{EndDate: &before}, nil},
		"ends now":       {clinics.PatientCountLimit{Plan: 3, EndDate: &now}, ptr(3)},
		"in between":     {clinics.PatientCountLimit{Plan: 3, StartDate: &before, EndDate: &after}, ptr(3)},
		"started, ended": {clinics.PatientCountLimit{StartDate: &before, EndDate: &before}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clinic := clinics.Clinic{PatientCountSettings: &clinics.PatientCountSettings{HardLimit: &test.limit}}
			require.Equal(t, test.want, clinic.PlanLimit(now))
			clinic.PatientCountSettings = &clinics.PatientCountSettings{SoftLimit: &test.limit}
			require.Nil(t, clinic.PlanLimit(now), "the soft limit refuses nobody")
		})
	}
}
