package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

const (
	admin  = "ad00000001"
	member = "ad00000002"
	// clinicName differs from that of the smaller clinic which earlier versions made.
	clinicName   = "Riverside Diabetes Center"
	hospitalName = "Riverside Hospital"
)

// team are those who work in the demo clinic; the first is its first admin.
var team = []struct{ id, name, role string }{
	{admin, "Ada Admin", "CLINIC_ADMIN"}, {member, "Max Member", "CLINIC_MEMBER"}, {"ad00000003", "Rita Rossi", "CLINIC_ADMIN"},
	{"ad00000004", "Omar Haddad", "CLINIC_MEMBER"}, {"ad00000005", "Mei Tanaka", "CLINIC_MEMBER"},
}

var (
	tagNames  = []string{"Pumps", "Pregnancy", "Newly diagnosed", "Study group", "Follow-up"}
	siteNames = []string{"Main Street", "North Campus", "Children's Hospital"}
)

// demo is what a newcomer finds: a clinic that is connected to Redox, and a hospital that orders through Xealth.
type demo struct {
	caller
	neighbours *standin.Standin
	clinicID   string
	tagID      string // of a tag that many patients have
	reportLink string
	lines      lines
}

type group struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type clinic struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	PatientTags []group `json:"patientTags"`
	Sites       []group `json:"sites"`
}

// fillDemo makes the demo clinics, or what an earlier run left out of them.
func fillDemo(ctx context.Context, base string, neighbours *standin.Standin) (*demo, error) {
	for _, person := range team {
		email := emailOf(person.name)
		neighbours.AddUser(standin.User{UserID: person.id, Username: email, Emails: []string{email}, PasswordExists: true, Roles: []string{"clinic"}})
		neighbours.AddProfile(person.id, map[string]any{"fullName": person.name})
	}
	d := &demo{caller: caller{base: base}, neighbours: neighbours}
	made, err := d.ensureClinic(ctx, clinicName)
	if err != nil {
		return nil, err
	}
	d.clinicID = made.ID
	for _, step := range []func(context.Context, clinic) error{d.ensureTeam, d.connectRedox, d.fillPatiently} {
		if err := step(ctx, made); err != nil {
			return nil, err
		}
	}
	return d, d.ensureHospital(ctx)
}

func emailOf(name string) string { return strings.ToLower(strings.Fields(name)[0]) + "@clinic.example" }

// ensureClinic returns the clinic of that name. Tags, sites and the TIDE report are shown to clinics of the third tier.
func (d *demo) ensureClinic(ctx context.Context, name string) (clinic, error) {
	var memberships []struct {
		Clinic clinic `json:"clinic"`
	}
	if err := d.call(ctx, "server", http.MethodGet, "/v1/clinicians/"+admin+"/clinics?limit=100", nil, &memberships); err != nil {
		return clinic{}, err
	}
	for _, m := range memberships {
		if m.Clinic.Name == name {
			return m.Clinic, nil
		}
	}
	var made clinic
	err := d.call(ctx, "u-"+admin, http.MethodPost, "/v1/clinics", map[string]any{
		"name": name, "preferredBgUnits": "mg/dL", "country": "US", "state": "CA", "city": "Sacramento",
		"address": "1 River Road", "postalCode": "95814", "clinicType": "healthcare_system", "timezone": "US/Pacific",
	}, &made)
	if err != nil {
		return made, err
	}
	return made, d.call(ctx, "server", http.MethodPost, "/v1/clinics/"+made.ID+"/tier", map[string]any{"tier": "tier0300"}, nil)
}

func (d *demo) ensureTeam(ctx context.Context, c clinic) error {
	var there []struct {
		ID string `json:"id"`
	}
	path := "/v1/clinics/" + c.ID + "/clinicians"
	if err := d.call(ctx, "server", http.MethodGet, path+"?limit=100", nil, &there); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, person := range there {
		known[person.ID] = true
	}
	for _, person := range team {
		if known[person.id] {
			continue
		}
		err := d.call(ctx, "server", http.MethodPost, path, map[string]any{
			"id": person.id, "email": emailOf(person.name), "name": person.name, "roles": []string{person.role},
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// ensureGroups returns the tags or sites of the names, and makes those that are missing.
func (d *demo) ensureGroups(ctx context.Context, existing []group, path string, names []string) ([]group, error) {
	groups := make([]group, 0, len(names))
	for _, name := range names {
		made := group{Name: name}
		for _, there := range existing {
			if there.Name == name {
				made = there
			}
		}
		if made.ID == "" {
			if err := d.call(ctx, "u-"+admin, http.MethodPost, path, map[string]any{"name": name}, &made); err != nil {
				return nil, err
			}
			made.Name = name
		}
		groups = append(groups, made)
	}
	return groups, nil
}
