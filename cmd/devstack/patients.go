package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// demoPatients is how many patients the demo clinic has.
const demoPatients = 300

var (
	givenNames = strings.Fields("Anna Ádám Beatriz Chidi Dana Emil Fatima Grace Hana Igor Jonas Kim Lucía Mateo Nadia Oskar Priya Quentin Rosa Samir Tessa")
	lastNames  = strings.Fields("Berg Kovács Souza Okafor Levi Novak Haddad Lee Sato Petrov Weber Nguyen Ortiz Silva Khan Lindqvist Patel")
)

// mrnOf returns the medical record number of the i-th patient: front ends accept upper-case letters and digits only.
func mrnOf(i int) string { return fmt.Sprintf("RDC%05d", 10000+i*37) }

func nameOf(i int) string { return givenNames[i%len(givenNames)] + " " + lastNames[i%len(lastNames)] }

func birthDateOf(i int) string {
	return fmt.Sprintf("%d-%02d-%02d", 1940+(i*7)%78, 1+i%12, 1+(i*5)%28)
}

// fill makes tags, sites and patients, or those that an earlier run left out.
func (d *demo) fill(ctx context.Context, c clinic) error {
	path := "/v1/clinics/" + c.ID
	tags, err := d.ensureGroups(ctx, c.PatientTags, path+"/patient_tags", tagNames)
	if err != nil {
		return err
	}
	d.tagID = tags[0].ID
	sites, err := d.ensureGroups(ctx, c.Sites, path+"/sites", siteNames)
	if err != nil {
		return err
	}
	var there struct {
		Data []struct {
			MRN string `json:"mrn"`
		} `json:"data"`
	}
	if err := d.call(ctx, "server", http.MethodGet, path+"/patients?limit=1000", nil, &there); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, patient := range there.Data {
		known[patient.MRN] = true
	}
	// One after the other: those who come at once wait for each other at the number of patients of the clinic.
	for i := range demoPatients {
		if known[mrnOf(i)] {
			continue
		}
		if err := d.addPatient(ctx, path, i, tags, sites); err != nil {
			return err
		}
	}
	return nil
}

// fillAttempts is how often the demo goes on after an error: databases for development time out on a busy machine.
const fillAttempts = 3

func (d *demo) fillPatiently(ctx context.Context, c clinic) error {
	err := d.fill(ctx, c)
	for n := 1; n < fillAttempts && err != nil && ctx.Err() == nil; n++ {
		if c, err = d.ensureClinic(ctx, clinicName); err == nil {
			err = d.fill(ctx, c)
		}
	}
	return err
}

// addPatient makes the i-th patient. Most have a tag and a site, some have been reviewed, a few have no data.
func (d *demo) addPatient(ctx context.Context, path string, i int, tags, sites []group) error {
	body := map[string]any{
		"fullName": nameOf(i), "birthDate": birthDateOf(i), "mrn": mrnOf(i), "tags": []string{}, "sites": []any{},
		"diagnosisType": []string{"type1", "type2", "gestational", "lada"}[(i/3)%4],
	}
	if i%7 != 6 {
		body["tags"] = []string{tags[i%len(tags)].ID}
	}
	if i%5 != 4 {
		site := sites[(i/2)%len(sites)]
		body["sites"] = []any{map[string]any{"id": site.ID, "name": site.Name}}
	}
	var patient struct {
		ID string `json:"id"`
	}
	if err := d.call(ctx, "u-"+admin, http.MethodPost, path+"/patients", body, &patient); err != nil {
		return err
	}
	if i%4 == 1 {
		if err := d.call(ctx, "u-"+team[i%len(team)].id, http.MethodPut, path+"/patients/"+patient.ID+"/reviews", nil, nil); err != nil {
			return err
		}
	}
	if i%25 == 24 {
		return nil
	}
	summary, err := demoSummary(i)
	if err != nil {
		return err
	}
	return d.call(ctx, "server", http.MethodPost, "/v1/patients/"+patient.ID+"/summary", summary, nil)
}
