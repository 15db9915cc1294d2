package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

const (
	admin  = "ad00000001"
	member = "ad00000002"
)

// demo is the clinic that a newcomer finds.
type demo struct {
	clinicID string
	base     string
	client   http.Client
}

// fillDemo makes the demo clinic, or what an earlier run left out of it.
func fillDemo(ctx context.Context, base string, neighbours *standin.Standin) (*demo, error) {
	people := map[string]string{admin: "Ada Admin", member: "Max Member"}
	for id, name := range people {
		email := strings.ToLower(strings.Fields(name)[0]) + "@clinic.example"
		neighbours.AddUser(standin.User{UserID: id, Username: email, Emails: []string{email}, PasswordExists: true, Roles: []string{"clinic"}})
		neighbours.AddProfile(id, map[string]any{"fullName": name})
	}
	d := &demo{base: base}
	clinic, err := d.ensureClinic(ctx)
	if err != nil {
		return nil, err
	}
	d.clinicID = clinic.ID
	return d, d.complete(ctx, clinic)
}

type group struct {
	ID string `json:"id"`
}

type clinic struct {
	ID          string  `json:"id"`
	PatientTags []group `json:"patientTags"`
	Sites       []group `json:"sites"`
}

func (d *demo) ensureClinic(ctx context.Context) (clinic, error) {
	var memberships []struct {
		Clinic clinic `json:"clinic"`
	}
	err := d.call(ctx, "server", http.MethodGet, "/v1/clinicians/"+admin+"/clinics", nil, &memberships)
	if err != nil || len(memberships) > 0 {
		if err != nil {
			return clinic{}, err
		}
		return memberships[0].Clinic, nil
	}
	var made clinic
	err = d.call(ctx, "u-"+admin, http.MethodPost, "/v1/clinics", map[string]any{
		"name": "Riverside Diabetes Clinic", "preferredBgUnits": "mg/dL", "country": "US", "state": "CA", "city": "Sacramento",
		"address": "1 River Road", "postalCode": "95814", "clinicType": "healthcare_system", "timezone": "US/Pacific",
	}, &made)
	if err != nil {
		return made, err
	}
	return made, d.call(ctx, "server", http.MethodPost, "/v1/clinics/"+made.ID+"/clinicians", map[string]any{
		"id": member, "email": "max@clinic.example", "name": "Max Member", "roles": []string{"CLINIC_MEMBER"},
	}, nil)
}

func (d *demo) complete(ctx context.Context, c clinic) error {
	path := "/v1/clinics/" + c.ID
	tag, err := d.ensureGroup(ctx, c.PatientTags, path+"/patient_tags", "Pumps")
	if err != nil {
		return err
	}
	site, err := d.ensureGroup(ctx, c.Sites, path+"/sites", "Main Street")
	if err != nil {
		return err
	}
	var count struct {
		Total int `json:"total"`
	}
	if err := d.call(ctx, "server", http.MethodGet, path+"/patient_count", nil, &count); err != nil {
		return err
	}
	for i := count.Total; i < len(demoPatients); i++ {
		if err := d.addPatient(ctx, path, i, demoPatients[i], tag, site); err != nil {
			return err
		}
	}
	return nil
}

// ensureGroup returns the id of the first tag or site, which it makes if there is none.
func (d *demo) ensureGroup(ctx context.Context, existing []group, path, name string) (string, error) {
	if len(existing) > 0 {
		return existing[0].ID, nil
	}
	var made group
	err := d.call(ctx, "u-"+admin, http.MethodPost, path, map[string]any{"name": name}, &made)
	return made.ID, err
}

var demoPatients = []string{
	"Anna Berg", "Ádám Kovács", "Beatriz Souza", "Chidi Okafor", "Dana Levi", "Emil Novak", "Fatima Haddad", "Grace Lee",
	"Hana Sato", "Igor Petrov", "Jonas Weber", "Kim Nguyen",
}

func (d *demo) addPatient(ctx context.Context, path string, i int, name, tag, site string) error {
	body := map[string]any{
		"fullName": name, "birthDate": fmt.Sprintf("19%02d-0%d-1%d", 60+i*3, 1+i%9, i%9), "mrn": fmt.Sprintf("R-%04d", 1000+i),
		"tags": []string{}, "sites": []any{},
	}
	if i%2 == 0 {
		body["tags"] = []string{tag}
	}
	if i%3 == 0 {
		body["sites"] = []any{map[string]any{"id": site, "name": "Main Street"}}
	}
	var patient struct {
		ID string `json:"id"`
	}
	if err := d.call(ctx, "u-"+admin, http.MethodPost, path+"/patients", body, &patient); err != nil {
		return err
	}
	return d.call(ctx, "server", http.MethodPost, "/v1/patients/"+patient.ID+"/summary", demoSummary(i), nil)
}

// call makes a request as the holder of the token and decodes the answer into result, unless that is nil.
func (d *demo) call(ctx context.Context, token, method, path string, body, result any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("x-tidepool-session-token", token)
	answer, err := d.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s answered %d: %s", method, path, answer.StatusCode, content)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(content, result)
}

// print says what to try.
func (d *demo) print(w io.Writer, base string) {
	_, _ = fmt.Fprintf(w, `
The clinic service runs. Ctrl-C stops it; the data stays.

  Service    %[1]s
  API page   %[1]s/docs
  Health     %[1]s/ready   %[1]s/metrics

  Session tokens (the stand-in for the user service knows them)
    admin            u-%[2]s
    member           u-%[3]s
    backend service  server

Try:

  curl -s -H 'x-tidepool-session-token: u-%[2]s' %[1]s/v1/clinics/%[4]s
  curl -s -H 'x-tidepool-session-token: u-%[3]s' '%[1]s/v1/clinics/%[4]s/patients?search=an&limit=2'
  curl -s -H 'x-tidepool-session-token: server' %[1]s/v1/clinicians/%[2]s/clinics

`, base, admin, member, d.clinicID)
}
