package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// exportStage is a clinic in a zone, with a unit, whose patients have what spreadsheets stumble over.
func exportStage(t *testing.T, app *testkit.App, zone any, unit string) (path string) {
	t.Helper()
	clinicID, tag, at := bson.NewObjectID(), bson.NewObjectID(), time.Date(2030, 7, 1, 22, 30, 0, 0, time.UTC)
	_, err := app.Store.Collection("clinics").InsertOne(t.Context(), bson.M{
		"_id": clinicID, "name": "C", "timezone": zone, "PreferredBgUnits": unit, "canonicalShareCode": clinicID.Hex(), "shareCodes": bson.A{clinicID.Hex()},
		"patientTags": bson.A{bson.M{"_id": tag, "name": "=tag"}},
	})
	require.NoError(t, err)
	names := []any{"=HYPERLINK(\"x\")", "+1", "-1", "@a", "\tTab", "\rReturn", "O\"Neil, Jo", "Zoë\nLine", nil}
	for i, name := range names {
		_, err := app.Store.Collection("patients").InsertOne(t.Context(), bson.M{
			"clinicId": clinicID, "userId": fmt.Sprintf("%010x", i), "fullName": name, "birthDate": "2001-02-03", "mrn": fmt.Sprintf("00%d", i), "createdTime": at, "updatedTime": at,
			"tags": bson.A{tag}, "sites": bson.A{bson.M{"id": bson.NewObjectID(), "name": "North"}}, "reviews": bson.A{bson.M{"clinicianId": "c", "time": at}},
			"summary": bson.M{"cgmStats": bson.M{"id": "s", "dates": bson.M{"hasLastData": true, "lastData": at}, "periods": bson.M{
				"14d": bson.M{"averageGlucoseMmol": 8.4, "timeInTargetPercent": 0.715}, "7d": bson.M{"averageGlucoseMmol": 5.0},
			}}},
		})
		require.NoError(t, err)
	}
	return "/v1/clinics/" + clinicID.Hex()
}

func readCSV(t *testing.T, body []byte) (titles []string, rows []map[string]string) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
	require.NoError(t, err)
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, title := range lines[0] {
			row[title] = line[i]
		}
		rows = append(rows, row)
	}
	return lines[0], rows
}

func TestPatientsAreExportedForPeople(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	path := exportStage(t, app, "Europe/Berlin", "mg/dL")
	answer := app.Call(t, testkit.Service, http.MethodGet, path+"/patients_export", nil).OK(t, http.StatusOK)
	require.Equal(t, "text/csv; charset=utf-8", answer.Header.Get("Content-Type"))
	require.Regexp(t, `^attachment; filename="patients-\d{4}-\d\d-\d\d\.csv"$`, answer.Header.Get("Content-Disposition"))
	require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	_, rows := readCSV(t, answer.Body)
	require.Len(t, rows, 9)
	for _, row := range rows {
		require.NotContains(t, []string{"=", "+", "-", "@", "\t", "\r"}, (row["Name"] + " ")[:1], "no formula")
		require.Equal(t, "'=tag", row["Tags"])
		require.Equal(t, "2001-02-03", row["Birth date"])
		require.Equal(t, "2030-07-02 00:30", row["CGM last data (Europe/Berlin)"], "it is tomorrow there")
		require.Equal(t, "2030-07-02 00:30", row["Last reviewed (Europe/Berlin)"])
		require.Equal(t, "151", row["CGM average glucose (14d, mg/dL)"])
		require.Equal(t, "71.5", row["CGM in target (14d, %)"])
		require.Empty(t, row["BGM average glucose (14d, mg/dL)"])
	}
	names := []string{}
	for _, row := range rows {
		names = append(names, row["Name"])
	}
	for _, name := range []string{"'=HYPERLINK(\"x\")", "'+1", "'-1", "'@a", "'\tTab", "O\"Neil, Jo", "Zoë\nLine", ""} {
		require.Contains(t, names, name)
	}

	plain := exportStage(t, app, nil, "mmol/L")
	answer = app.Call(t, testkit.Service, http.MethodGet, plain+"/patients_export?bom=true&period=7d&limit=2&search=o%22neil", nil).OK(t, http.StatusOK)
	require.True(t, strings.HasPrefix(string(answer.Body), "\uFEFFPatient id,"))
	_, rows = readCSV(t, answer.Body)
	require.Len(t, rows, 1)
	require.Equal(t, "5.0", rows[0]["CGM average glucose (7d, mmol/L)"])
	require.Equal(t, "2030-07-01 22:30", rows[0]["CGM last data (UTC)"])
}

// An export in NDJSON is the list, line by line, with any filter and order, and from any line on.
func TestPatientsAreExportedForServices(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	path := exportStage(t, app, "Europe/Berlin", "mg/dL")
	for _, query := range []string{"", "search=1", "sort=-birthDate&sortType=cgm", "sort=%2BlastReviewed&sortType=cgm", "cgm.timeInTargetPercent=%3E0.5"} {
		var list struct {
			Data []json.RawMessage `json:"data"`
		}
		app.Call(t, testkit.Service, http.MethodGet, path+"/patients?limit=100&"+query, nil).OK(t, http.StatusOK).Into(t, &list)
		answer := app.Call(t, testkit.Service, http.MethodGet, path+"/patients_export?format=ndjson&"+query, nil).OK(t, http.StatusOK)
		require.Equal(t, "application/x-ndjson", answer.Header.Get("Content-Type"))
		want := ""
		for _, row := range list.Data {
			want += string(row) + "\n"
		}
		require.Equal(t, want, string(answer.Body), query)

		lines := slices.Collect(strings.Lines(string(app.Call(t, testkit.Service, http.MethodGet, path+"/patients_export?format=ndjson&cursors=true&"+query, nil).OK(t, http.StatusOK).Body)))
		require.Len(t, lines, len(list.Data))
		for i, line := range lines {
			var row struct {
				Cursor string `json:"cursor"`
			}
			require.NoError(t, json.Unmarshal([]byte(line), &row))
			require.Equal(t, string(list.Data[i])+"\n", strings.Replace(line, `"cursor":"`+row.Cursor+`",`, "", 1))
			rest := app.Call(t, testkit.Service, http.MethodGet, path+"/patients_export?format=ndjson&"+query+"&cursor="+url.QueryEscape(row.Cursor), nil).OK(t, http.StatusOK)
			require.Equal(t, strings.Join(strings.SplitAfter(want, "\n")[i+1:], ""), string(rest.Body))
		}
	}
}

// A CSV file that was cut off is completed by what comes behind the cursor of its last line.
func TestAnExportInCSVGoesOn(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	path := exportStage(t, app, "Europe/Berlin", "mg/dL")
	whole := app.Call(t, testkit.Service, http.MethodGet, path+"/patients_export", nil).OK(t, http.StatusOK).Body
	begun := app.Call(t, testkit.Service, http.MethodGet, path+"/patients_export?cursors=true&limit=4", nil).OK(t, http.StatusOK).Body
	titles, rows := readCSV(t, begun)
	require.Equal(t, "Cursor", titles[len(titles)-1])
	require.Len(t, rows, 4)
	rest := app.Call(t, testkit.Service, http.MethodGet, path+"/patients_export?bom=true&cursor="+url.QueryEscape(rows[3]["Cursor"]), nil).OK(t, http.StatusOK).Body
	require.True(t, strings.HasSuffix(string(whole), string(rest)), "neither titles nor a mark")
	_, all := readCSV(t, whole)
	_, added := readCSV(t, []byte(strings.SplitAfter(string(whole), "\n")[0]+string(rest)))
	require.Len(t, added, len(all)-4)
}

func TestMembersAreExported(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	clinicID, admin := app.NewClinic(t)
	member := app.NewMember(t, clinicID, "CLINIC_MEMBER", "PRESCRIBER")
	_, err := app.Store.Collection("clinicians").UpdateOne(t.Context(), bson.M{"userId": member}, bson.M{"$set": bson.M{"name": "=1+1"}})
	require.NoError(t, err)
	answer := app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+clinicID+"/clinicians_export?bom=true", nil).OK(t, http.StatusOK)
	require.Regexp(t, `^attachment; filename="members-\d{4}-\d\d-\d\d\.csv"$`, answer.Header.Get("Content-Disposition"))
	body, ok := strings.CutPrefix(string(answer.Body), "\uFEFF")
	require.True(t, ok)
	_, rows := readCSV(t, []byte(body))
	require.Len(t, rows, 2)
	require.Equal(t, []string{member, "'=1+1", "CLINIC_MEMBER; PRESCRIBER"}, []string{rows[0]["User id"], rows[0]["Name"], rows[0]["Roles"]})
	one := app.Call(t, testkit.User(admin), http.MethodGet, "/v1/clinics/"+clinicID+"/clinicians_export?role=PRESCRIBER", nil).OK(t, http.StatusOK)
	_, rows = readCSV(t, one.Body)
	require.Len(t, rows, 1)
	for _, path := range []string{"/clinicians_export", "/patients_export"} {
		app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+bson.NewObjectID().Hex()+path, nil).OK(t, http.StatusNotFound)
	}
}
