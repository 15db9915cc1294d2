package api

import (
	"context"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinics"
)

// showClinic returns the clinic as the interface shows it, with the numbers of patients of its tags and sites.
func (h *Handlers) showClinic(ctx context.Context, c *clinics.Clinic) (gen.ClinicV1, error) {
	if err := h.services.Clinics.FillGroups(ctx, c); err != nil {
		return gen.ClinicV1{}, err
	}
	return clinicWire(c), nil
}

// showClinics is showClinic for a list. It returns an empty list for none.
func (h *Handlers) showClinics(ctx context.Context, list []*clinics.Clinic) ([]gen.ClinicV1, error) {
	if err := h.services.Clinics.FillGroups(ctx, list...); err != nil {
		return nil, err
	}
	shown := make([]gen.ClinicV1, 0, len(list))
	for _, c := range list {
		shown = append(shown, clinicWire(c))
	}
	return shown, nil
}

func clinicWire(c *clinics.Clinic) gen.ClinicV1 {
	wire := gen.ClinicV1{
		Id:               &c.ID,
		Name:             valueOf(c.Name),
		Address:          c.Address,
		City:             c.City,
		ClinicSize:       (*gen.ClinicV1ClinicSize)(c.ClinicSize),
		ClinicType:       (*gen.ClinicV1ClinicType)(c.ClinicType),
		Country:          c.Country,
		PostalCode:       c.PostalCode,
		State:            c.State,
		Website:          c.Website,
		Timezone:         (*gen.ClinicTimezoneV1)(c.Timezone),
		PreferredBgUnits: gen.ClinicV1PreferredBgUnits(c.EffectiveBGUnits()),
		ShareCode:        &c.CanonicalShareCode,
		CanMigrate:       new(c.CanMigrate()),
		Tier:             new(c.EffectiveTier()),
		TierDescription:  new(c.TierDescription()),
		CreatedTime:      new(c.CreatedTime.UTC()),
		UpdatedTime:      new(c.UpdatedTime.UTC()),
		PhoneNumbers:     phoneNumbersWire(c.PhoneNumbers),
		PatientTags:      patientTagsWire(c),
		Sites:            clinicSitesWire(c),
	}
	if c.SuppressedNotifications != nil {
		wire.SuppressedNotifications = &gen.SuppressedNotificationsV1{PatientClinicInvitation: c.SuppressedNotifications.PatientClinicInvitation}
	}
	return wire
}

// phoneNumbersWire leaves out what is stored as null. COMPAT: an empty list is shown as null.
func phoneNumbersWire(stored *[]clinics.PhoneNumber) *gen.PhoneNumbersV1 {
	if stored == nil || *stored == nil {
		return nil
	}
	var wire gen.PhoneNumbersV1
	for _, number := range *stored {
		wire = append(wire, gen.PhoneNumberV1{Type: number.Type, Number: number.Number})
	}
	return &wire
}

// patientTagsWire leaves out tags that there never were. COMPAT: an empty list, left by the last one, is shown as null.
func patientTagsWire(c *clinics.Clinic) *[]gen.PatientTagV1 {
	if c.PatientTags == nil {
		return nil
	}
	var wire []gen.PatientTagV1
	for _, tag := range c.PatientTags {
		wire = append(wire, gen.PatientTagV1{Id: &tag.ID, Name: tag.Name, NumPatients: c.TagCount(tag.ID)})
	}
	return &wire
}

func clinicSitesWire(c *clinics.Clinic) []gen.SiteV1 {
	var wire []gen.SiteV1
	for _, site := range c.Sites {
		wire = append(wire, gen.SiteV1{Id: site.ID, Name: site.Name, NumPatients: c.SiteCount(site.ID)})
	}
	return wire
}
