package clinics_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

func complete() *clinics.Clinic {
	return &clinics.Clinic{
		Name: ptr("Harbour"), Address: ptr("1 Pier"), City: ptr("Portland"), ClinicType: ptr("other"), Country: ptr("US"),
		PostalCode: ptr("04101"), State: ptr("ME"), PreferredBGUnits: clinics.UnitsMgdL, Admins: []string{"a1b2c3d4e5"},
		PatientTags: []clinics.PatientTag{{ID: bson.NewObjectID(), Name: "Pump"}},
	}
}

func TestOnlyACompleteClinicCanMigrate(t *testing.T) {
	t.Parallel()
	require.True(t, complete().CanMigrate())
	for name, spoil := range map[string]func(*clinics.Clinic){
		"migrated":           func(c *clinics.Clinic) { c.IsMigrated = true },
		"no name":            func(c *clinics.Clinic) { c.Name = nil },
		"empty name":         func(c *clinics.Clinic) { c.Name = ptr("") },
		"no address":         func(c *clinics.Clinic) { c.Address = nil },
		"no city":            func(c *clinics.Clinic) { c.City = nil },
		"no type":            func(c *clinics.Clinic) { c.ClinicType = nil },
		"no country":         func(c *clinics.Clinic) { c.Country = nil },
		"no postal code":     func(c *clinics.Clinic) { c.PostalCode = nil },
		"no state":           func(c *clinics.Clinic) { c.State = nil },
		"no units":           func(c *clinics.Clinic) { c.PreferredBGUnits = "" },
		"no admin":           func(c *clinics.Clinic) { c.Admins = nil },
		"tag without a name": func(c *clinics.Clinic) { c.PatientTags[0].Name = "" },
		"tag without an id":  func(c *clinics.Clinic) { c.PatientTags[0].ID = bson.NilObjectID },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clinic := complete()
			spoil(clinic)
			require.False(t, clinic.CanMigrate())
		})
	}
}

func TestShareCodesLookAsTheyShould(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	letters := map[rune]bool{}
	for range 500 {
		code := clinics.RandomShareCode()
		require.Regexp(t, "^[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){2}$", code)
		require.False(t, seen[code])
		seen[code] = true
		for _, letter := range code {
			letters[letter] = true
		}
	}
	require.Len(t, letters, 33, "all 32 symbols and the hyphen")
}
