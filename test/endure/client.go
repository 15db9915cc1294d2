package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// server is known to the stand-in as the token of a backend service.
const server = "server"

// client calls the service.
type client struct {
	base string
	http *http.Client
}

// call makes a request and reads the whole answer, which it decodes into the result if it is a good one. An error means that
// there was no answer, or not all of it.
func (c client) call(ctx context.Context, token, method, path string, body, result any) (int, error) {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return 0, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(content))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("x-tidepool-session-token", token)
	answer, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if result == nil || answer.StatusCode >= http.StatusMultipleChoices {
		return answer.StatusCode, nil
	}
	return answer.StatusCode, json.Unmarshal(said, result)
}

// must is call for what has to succeed.
func (c client) must(ctx context.Context, token, method, path string, body, result any) error {
	status, err := c.call(ctx, token, method, path, body, result)
	if err == nil && status >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s was answered with %d", method, path, status)
	}
	return err
}

// makeClinic makes the n-th clinic, with an admin, whom the neighbours get to know, and tags.
func (c client) makeClinic(ctx context.Context, neighbours *standin.Standin, n int) (clinic, error) {
	var made struct {
		ID string `json:"id"`
	}
	admin := fmt.Sprintf("ed0000000%d", n)
	email := admin + "@example.com"
	neighbours.AddUser(standin.User{UserID: admin, Username: email, Emails: []string{email}, PasswordExists: true})
	neighbours.AddProfile(admin, map[string]any{"fullName": "Ada Admin"})
	result := clinic{admin: "u-" + admin}
	body := map[string]any{"name": fmt.Sprintf("Clinic %d", n), "preferredBgUnits": "mg/dL"}
	if err := c.must(ctx, result.admin, http.MethodPost, "/v1/clinics", body, &made); err != nil {
		return clinic{}, err
	}
	result.id = made.ID
	// Clinics that pay have no limit, which would refuse patients in a soak.
	if err := c.must(ctx, server, http.MethodPost, result.path("/tier"), map[string]any{"tier": "tier0300"}, nil); err != nil {
		return clinic{}, err
	}
	for tag := range tagsMade {
		if err := c.must(ctx, server, http.MethodPost, result.path("/patient_tags"), map[string]any{"name": fmt.Sprintf("Tag %d", tag)}, &made); err != nil {
			return clinic{}, err
		}
		result.tags = append(result.tags, made.ID)
	}
	return result, nil
}

func (c clinic) path(rest string) string { return "/v1/clinics/" + c.id + rest }

// patient is what is looked at of a patient.
type patient struct {
	ID       string   `json:"id"`
	FullName string   `json:"fullName"`
	Tags     []string `json:"tags"`
}

func (p patient) shape() shape {
	s := shape{name: p.FullName}
	if len(p.Tags) == 1 {
		s.tag = p.Tags[0]
	}
	return s
}

func bodyOf(mrn string, s shape) map[string]any {
	return map[string]any{"fullName": s.name, "birthDate": "1990-05-06", "mrn": mrn, "tags": []string{s.tag}}
}
