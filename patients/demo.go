package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/store"
)

// AddDemoPatient adds the account that clinics get as an example to a new clinic, with permission to view its data. The
// clinic document already counts it.
func (r *Repository) AddDemoPatient(ctx context.Context, clinicID bson.ObjectID, user platform.User, profile platform.Profile) error {
	now := store.Now()
	patient := Patient{
		ClinicID: clinicID, UserID: r.demoUserID, Permissions: &Permissions{View: &Grant{}}, IsMigrated: true,
		CreatedTime: now, UpdatedTime: now,
	}
	patient.fillFrom(user, profile)
	_, err := r.collection.InsertOne(ctx, patient)
	return err
}

// fillFrom takes over what the account and its profile say about a person. COMPAT: the address is not lower-cased.
func (p *Patient) fillFrom(user platform.User, profile platform.Profile) {
	if user.Username != "" {
		p.Email = &user.Username
	}
	name := profile.FullName
	if about := profile.Patient; about != nil {
		p.BirthDate, p.TargetDevices = about.Birthday, about.TargetDevices
		if about.MRN != "" {
			p.MRN = &about.MRN
		}
		if about.FullName != "" {
			name = about.FullName
		}
	}
	p.FullName = &name
}
