package clinics

import "go.mongodb.org/mongo-driver/v2/bson"

// The units in which a clinic can prefer to see glucose.
const (
	UnitsMgdL  = "mg/dL"
	UnitsMmolL = "mmol/L"
)

// Profile is what a clinic says about itself. A nil pointer means that nothing was said.
type Profile struct {
	Name             string
	Address          *string
	City             *string
	ClinicType       *string
	ClinicSize       *string
	Country          *string
	PostalCode       *string
	State            *string
	Website          *string
	PhoneNumbers     []PhoneNumber
	Timezone         *string
	PreferredBGUnits string
}

// EffectiveBGUnits returns the units that the clinic prefers, which are mg/dL unless others are stored.
func (c *Clinic) EffectiveBGUnits() string {
	if c.PreferredBGUnits == "" {
		return UnitsMgdL
	}
	return c.PreferredBGUnits
}

// CanMigrate reports whether the clinic came from a legacy account, is not migrated yet, and has a complete profile.
func (c *Clinic) CanMigrate() bool {
	if c.IsMigrated || c.PreferredBGUnits == "" || len(c.Admins) == 0 {
		return false
	}
	for _, text := range []*string{c.Address, c.City, c.ClinicType, c.Country, c.Name, c.PostalCode, c.State} {
		if text == nil || *text == "" {
			return false
		}
	}
	for _, tag := range c.PatientTags {
		if tag.ID.IsZero() || tag.Name == "" {
			return false
		}
	}
	return true
}

// fill puts the profile into a new clinic.
func (p Profile) fill(c *Clinic) {
	c.Name, c.Address, c.City, c.ClinicType, c.ClinicSize = &p.Name, p.Address, p.City, p.ClinicType, p.ClinicSize
	c.Country, c.PostalCode, c.State, c.Website = p.Country, p.PostalCode, p.State, p.Website
	c.PhoneNumbers, c.Timezone, c.PreferredBGUnits = &p.PhoneNumbers, p.Timezone, p.PreferredBGUnits
}

// changes returns the fields that an update sets. COMPAT: what is not said keeps its value, except for the telephone
// numbers and the time zone, which become null.
func (p Profile) changes() bson.D {
	set := bson.D{
		{Key: "name", Value: p.Name},
		{Key: "PreferredBgUnits", Value: p.PreferredBGUnits},
		{Key: "phoneNumbers", Value: p.PhoneNumbers},
		{Key: "timezone", Value: p.Timezone},
	}
	optional := []struct {
		field string
		value *string
	}{
		{"address", p.Address}, {"city", p.City}, {"clinicType", p.ClinicType}, {"clinicSize", p.ClinicSize},
		{"country", p.Country}, {"postalCode", p.PostalCode}, {"state", p.State}, {"website", p.Website},
	}
	for _, o := range optional {
		if o.value != nil {
			set = append(set, bson.E{Key: o.field, Value: *o.value})
		}
	}
	return set
}
