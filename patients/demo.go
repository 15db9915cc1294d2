package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/store"
)

// AddDemoPatient adds the account that clinics get as an example to a new clinic, with permission to view its data. The
// clinic document already counts it. COMPAT: the address is not lower-cased.
func (s *Service) AddDemoPatient(ctx context.Context, clinicID bson.ObjectID, user platform.User, profile platform.Profile) error {
	now := store.Now()
	patient := Patient{
		ClinicID: clinicID, UserID: s.demoUserID, Permissions: &Permissions{View: &Grant{}}, IsMigrated: true,
		CreatedTime: now, UpdatedTime: now,
	}
	patient.fillFrom(user, profile)
	_, err := s.collection.InsertOne(ctx, patient)
	return store.UnlessMade(ctx, err)
}

// fillFrom takes over the address from the account, and from the profile what is not known yet. What is not known there
// either stays nil or "".
func (p *Patient) fillFrom(user platform.User, profile platform.Profile) {
	p.Email = unlessEmpty(&user.Username)
	about := platform.PatientProfile{}
	if profile.Patient != nil {
		about = *profile.Patient
	}
	p.TargetDevices = about.TargetDevices
	if p.BirthDate == "" {
		p.BirthDate = about.Birthday
	}
	if p.MRN == nil {
		p.MRN = unlessEmpty(&about.MRN)
	}
	for _, name := range []string{about.FullName, profile.FullName} {
		if p.FullName == nil {
			p.FullName = unlessEmpty(&name)
		}
	}
}
