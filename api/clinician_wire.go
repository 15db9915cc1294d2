package api

import (
	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinicians"
)

// clinicianWire returns a member or invite as the interface shows it. COMPAT: an address that is not stored is shown as ""
// and roles that are stored as null as null.
func clinicianWire(c *clinicians.Clinician) gen.ClinicianV1 {
	return gen.ClinicianV1{
		Id: c.UserID, InviteId: c.InviteID, Name: c.Name, Email: valueOf(c.Email), Roles: c.Roles,
		CreatedTime: new(c.CreatedTime.UTC()), UpdatedTime: new(c.UpdatedTime.UTC()),
	}
}

func cliniciansWire(list []*clinicians.Clinician) gen.CliniciansV1 {
	wire := make(gen.CliniciansV1, 0, len(list))
	for _, c := range list {
		wire = append(wire, clinicianWire(c))
	}
	return wire
}
