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

// fillDemo makes the demo clinic, unless an earlier run made it.
func fillDemo(ctx context.Context, base string, neighbours *standin.Standin) (*demo, error) {
	people := map[string]string{admin: "Ada Admin", member: "Max Member"}
	for id, name := range people {
		email := strings.ToLower(strings.Fields(name)[0]) + "@clinic.example"
		neighbours.AddUser(standin.User{UserID: id, Username: email, Emails: []string{email}, PasswordExists: true, Roles: []string{"clinic"}})
		neighbours.AddProfile(id, map[string]any{"fullName": name})
	}
	d := &demo{base: base}
	if err := d.find(ctx); err != nil || d.clinicID != "" {
		return d, err
	}
	return d, d.make(ctx)
}

func (d *demo) find(ctx context.Context) error {
	var memberships []struct {
		Clinic struct {
			ID string `json:"id"`
		} `json:"clinic"`
	}
	if err := d.call(ctx, "server", http.MethodGet, "/v1/clinicians/"+admin+"/clinics", nil, &memberships); err != nil {
		return err
	}
	if len(memberships) > 0 {
		d.clinicID = memberships[0].Clinic.ID
	}
	return nil
}

func (d *demo) make(ctx context.Context) error {
	var clinic, tag, site struct {
		ID string `json:"id"`
	}
	if err := d.call(ctx, "u-"+admin, http.MethodPost, "/v1/clinics", map[string]any{
		"name": "Riverside Diabetes Clinic", "preferredBgUnits": "mg/dL", "country": "US", "state": "CA", "city": "Sacramento",
		"address": "1 River Road", "postalCode": "95814", "clinicType": "healthcare_system", "timezone": "US/Pacific",
	}, &clinic); err != nil {
		return err
	}
	path := "/v1/clinics/" + clinic.ID
	err := d.call(ctx, "server", http.MethodPost, path+"/clinicians", map[string]any{
		"id": member, "email": "max@clinic.example", "name": "Max Member", "roles": []string{"CLINIC_MEMBER"},
	}, nil)
	if err != nil {
		return err
	}
	if err := d.call(ctx, "u-"+admin, http.MethodPost, path+"/patient_tags", map[string]any{"name": "Pumps"}, &tag); err != nil {
		return err
	}
	if err := d.call(ctx, "u-"+admin, http.MethodPost, path+"/sites", map[string]any{"name": "Main Street"}, &site); err != nil {
		return err
	}
	for i, name := range demoPatients {
		if err := d.addPatient(ctx, path, i, name, tag.ID, site.ID); err != nil {
			return err
		}
	}
	d.clinicID = clinic.ID
	return nil
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
