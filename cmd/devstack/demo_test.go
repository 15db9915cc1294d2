package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// TestDemoClinic makes the demo clinic twice, as two runs do, and looks at what a newcomer would.
func TestDemoClinic(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) {
		c.Redox.VerificationToken, c.Xealth.BearerToken = development, development
	}))
	_, err := fillDemo(t.Context(), app.URL, app.Standin)
	require.NoError(t, err)
	d, err := fillDemo(t.Context(), app.URL, app.Standin)
	require.NoError(t, err)
	clinic := "/v1/clinics/" + d.clinicID

	var page struct {
		Data []struct {
			MRN     string                     `json:"mrn"`
			Tags    []string                   `json:"tags"`
			Sites   []any                      `json:"sites"`
			Reviews []any                      `json:"reviews"`
			Summary map[string]json.RawMessage `json:"summary"`
		} `json:"data"`
	}
	app.Call(t, testkit.User(member), http.MethodGet, clinic+"/patients?limit=1000", nil).OK(t, http.StatusOK).Into(t, &page)
	require.Len(t, page.Data, demoPatients, "a second run adds nobody")
	mrn := regexp.MustCompile(`^[A-Z0-9]+$`)
	var tagged, placed, reviewed, sensor, meter, both int
	seen := map[string]bool{}
	for _, patient := range page.Data {
		require.Regexp(t, mrn, patient.MRN)
		require.False(t, seen[patient.MRN])
		seen[patient.MRN] = true
		_, cgm := patient.Summary["cgmStats"]
		_, bgm := patient.Summary["bgmStats"]
		for count, has := range map[*int]bool{
			&tagged: len(patient.Tags) > 0, &placed: len(patient.Sites) > 0, &reviewed: len(patient.Reviews) > 0,
			&sensor: cgm && !bgm, &meter: bgm && !cgm, &both: cgm && bgm,
		} {
			if has {
				*count++
			}
		}
	}
	for name, count := range map[string]int{"tags": tagged, "sites": placed, "reviews": reviewed, "sensor only": sensor, "meter only": meter, "both": both} {
		require.Greater(t, count, demoPatients/6, name)
	}

	shown := app.Call(t, testkit.User(member), http.MethodGet, clinic, nil).OK(t, http.StatusOK).Object(t)
	require.Equal(t, "tier0300", shown["tier"])
	require.Equal(t, "US", shown["country"])
	require.Len(t, shown["patientTags"], len(tagNames))
	require.Len(t, shown["sites"], len(siteNames))
	require.Len(t, app.Call(t, testkit.Service, http.MethodGet, clinic+"/clinicians?limit=100", nil).OK(t, http.StatusOK).List(t), len(team))

	var report struct {
		Results map[string][]any `json:"results"`
	}
	app.Call(t, testkit.User(member), http.MethodGet, clinic+"/tide_report?period=14d&tags="+d.tagID+"&lastDataCutoff="+url.QueryEscape(lastMonth()), nil).OK(t, http.StatusOK).Into(t, &report)
	filled := 0
	for _, patients := range report.Results {
		if len(patients) > 0 {
			filled++
		}
	}
	require.GreaterOrEqual(t, filled, 4, "categories of the TIDE report")

	address, err := url.Parse(d.reportLink)
	require.NoError(t, err)
	viewer := app.Call(t, testkit.Nobody, http.MethodGet, address.RequestURI(), nil).OK(t, http.StatusOK)
	require.Contains(t, string(viewer.Body), "<html")
	require.Len(t, testkit.Documents(t, app.Store, "redox", bson.M{}), 1, "one order is on its way")
}

// TestPrintedLinesWork runs what is printed for partners.
func TestPrintedLinesWork(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) {
		c.Redox.VerificationToken, c.Xealth.BearerToken = development, development
	}))
	d, err := fillDemo(t.Context(), app.URL, app.Standin)
	require.NoError(t, err)
	var printed bytes.Buffer
	d.print(&printed, app.URL)
	for _, line := range []string{d.reportLink, d.lines.redoxOrder, d.lines.xealthEvent} {
		require.NotEmpty(t, line)
		require.NotContains(t, line, "'", "it stands in quotes of a shell")
		require.Contains(t, printed.String(), line)
	}
	require.NotContains(t, printed.String(), "%!")
	post := func(path, header, value, body string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, app.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set(header, value)
		app.Do(t, testkit.Nobody, request).OK(t, http.StatusOK)
	}
	post("/v1/redox", "verification-token", development, d.lines.redoxOrder)
	post("/v1/xealth/notification", "Authorization", "Bearer "+development, d.lines.xealthEvent)
	require.Len(t, testkit.Documents(t, app.Store, "patients", bson.M{"mrn": nextMRN}), 1)
	app.Call(t, testkit.User(admin), http.MethodPost, "/v1/clinics/"+d.clinicID+"/sites", map[string]any{"name": "South Campus"}).OK(t, http.StatusOK)
}
