package story_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// kills is how often a process is killed in a story; CLINIC_LONG_TESTS=1 makes it twenty.
func kills() int {
	if os.Getenv("CLINIC_LONG_TESTS") != "" {
		return 20
	}
	return 3
}

// crowd is a clinic with patients who stay as they are, of whom each fills some kilobytes, and others who come and go.
type crowd struct {
	clinicID bson.ObjectID
	admin    string
	staying  []string // in the order of their names
	others   int
}

func newCrowd(t *testing.T, app *testkit.App, number, size int) *crowd {
	t.Helper()
	hex, admin := app.NewClinic(t)
	app.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+hex+"/settings/patient_count", map[string]any{
		"hardLimit": map[string]any{"plan": 100_000},
	}).OK(t, http.StatusOK)
	clinicID, err := bson.ObjectIDFromHex(hex)
	require.NoError(t, err)
	c := &crowd{clinicID: clinicID, admin: admin}
	sources := bson.A{}
	for range size << 10 / 100 {
		sources = append(sources, bson.M{"providerName": "dexcom", "state": "connected", "dataSourceId": bson.NewObjectID(), "modifiedTime": time.Now()})
	}
	var records []any
	for i := range number {
		id := fmt.Sprintf("5a%08x", i)
		c.staying = append(c.staying, id)
		records = append(records, bson.M{
			"clinicId": clinicID, "userId": id, "fullName": fmt.Sprintf("Stay %05d", i), "birthDate": "2001-02-03", "dataSources": sources,
			"createdTime": time.Now(), "updatedTime": time.Now(),
		})
	}
	_, err = app.Store.Collection("patients").InsertMany(t.Context(), records)
	require.NoError(t, err)
	app.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+hex+"/patient_count/refresh", nil).OK(t, http.StatusOK)
	return c
}

func (c *crowd) path() string { return "/v1/clinics/" + c.clinicID.Hex() + "/patients" }

// stir has somebody come and somebody go, at any place in the order.
func (c *crowd) stir(t *testing.T, app *testkit.App) {
	t.Helper()
	c.others++
	name := fmt.Sprintf("Stay %05d other", rand.IntN(len(c.staying)))
	came := app.NewPatient(t, c.clinicID.Hex(), name, nil)["id"].(string)
	if c.others%2 == 0 {
		app.Call(t, testkit.User(c.admin), http.MethodDelete, c.path()+"/"+came, nil).OK(t, http.StatusNoContent)
	}
}

// requireAllOnce asserts that everybody who stays was met once, in order.
func (c *crowd) requireAllOnce(t *testing.T, met []string, note string) {
	t.Helper()
	var staying []string
	for _, id := range met {
		if strings.HasPrefix(id, "5a0000") {
			staying = append(staying, id)
		}
	}
	require.Equal(t, c.staying, staying, note)
}

// page reads a page of a list behind a cursor, and returns the patients on it, and the next cursor.
func (c *crowd) page(t *testing.T, app *testkit.App, list, cursor string) (met []string, next string) {
	t.Helper()
	type patient struct {
		ID string `json:"id"`
	}
	if list != "/v1/patients" {
		var page struct {
			Data []patient `json:"data"`
			Meta struct {
				NextCursor string `json:"nextCursor"`
			} `json:"meta"`
		}
		app.Call(t, testkit.Service, http.MethodGet, list+"?limit=7&cursor="+cursor, nil).OK(t, http.StatusOK).Into(t, &page)
		for _, one := range page.Data {
			met = append(met, one.ID)
		}
		return met, page.Meta.NextCursor
	}
	var rows []struct {
		Patient patient `json:"patient"`
	}
	answer := app.Call(t, testkit.User(c.admin), http.MethodGet, list+"?limit=7&cursor="+cursor, nil).OK(t, http.StatusOK)
	answer.Into(t, &rows)
	for _, row := range rows {
		met = append(met, row.Patient.ID)
	}
	return met, answer.Header.Get("X-Next-Cursor")
}

// TestCursorPagesSurviveKills: the process is killed between pages, while patients come and go, and another one goes on.
func TestCursorPagesSurviveKills(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	c := newCrowd(t, &service.App, 60, 0)
	for round := range kills() {
		list := []string{c.path(), "/v1/patients"}[round%2]
		killAt := rand.IntN(9)
		var met []string
		cursor, more := "", true
		for pages := 0; more; pages++ {
			if pages == killAt {
				service.Kill()
				service.Start(t, service.Environment())
			}
			c.stir(t, &service.App)
			var shown []string
			shown, cursor = c.page(t, &service.App, list, cursor)
			met, more = append(met, shown...), cursor != ""
		}
		c.requireAllOnce(t, met, fmt.Sprintf("round %d of %s, killed before page %d", round, list, killAt))
	}
}

// TestAnExportSurvivesKills: the process is killed at any byte of an export, and another one goes on behind the last whole line. What was cut
// off never looks whole.
func TestAnExportSurvivesKills(t *testing.T) {
	t.Parallel()
	service := testkit.Run(t, nil)
	c := newCrowd(t, &service.App, 400, 12)
	var met []string
	cursor, killed, cut := "", 0, 0
	defer func() { t.Logf("%d of %d kills cut an export off", cut, killed) }()
	for range 10 * kills() {
		after := -1
		if killed < kills() {
			after = rand.IntN(5 << 20)
		}
		lines, dead, err := c.export(t, service, cursor, after)
		for _, line := range lines {
			met, cursor = append(met, line.ID), line.Cursor
		}
		if dead {
			killed++
			service.Start(t, service.Environment())
			c.stir(t, &service.App)
		}
		if err == nil { // this export is whole
			c.requireAllOnce(t, met, fmt.Sprintf("after %d kills", killed))
			met, cursor = nil, ""
			if killed == kills() {
				return
			}
			continue
		}
		require.True(t, dead)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		cut++
	}
	require.Fail(t, "the export does not end")
}

type exportedLine struct {
	ID     string `json:"id"`
	Cursor string `json:"cursor"`
}

// export reads an export behind a cursor, kills the service after so many bytes unless that is negative, and returns the whole lines,
// and whether it was killed.
func (c *crowd) export(t *testing.T, service *testkit.Process, cursor string, killAfter int) (lines []exportedLine, dead bool, err error) {
	t.Helper()
	address := service.URL + c.path() + "_export?format=ndjson&cursors=true&cursor=" + url.QueryEscape(cursor)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	request.Header.Set("X-Tidepool-Session-Token", string(testkit.Service))
	transport := &http.Transport{DisableCompression: true} // what is compressed would be sent as a whole before the kill
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	read := 0
	for reader := bufio.NewReader(answer.Body); ; {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return lines, dead, nil
		}
		if err != nil { // with a part of a line, which does not count
			return lines, dead, err
		}
		var exported exportedLine
		require.NoError(t, json.Unmarshal(line, &exported))
		lines = append(lines, exported)
		if read += len(line); killAfter >= 0 && read > killAfter && !dead {
			service.Kill()
			dead = true
		}
	}
}
