package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// serverToken is known to the stand-in as that of a backend service, whose identity is not asked for at every call.
const serverToken = "server"

// pageSize is what front ends ask for.
const pageSize = 50

// bench is what operations are made of.
type bench struct {
	*stage
	url      string
	client   *http.Client
	patients *mongo.Collection
	clinics  *mongo.Collection
}

// operations returns what clinics wait for. The bare driver reads the same records from the same database in the same order,
// by the same index, and decodes nothing; where the service has to count, so does the driver.
func operations(s *stage, service string, d *store.Database) []operation {
	b := &bench{
		stage: s, url: service, patients: d.Collection(patients.CollectionName), clinics: d.Collection(clinics.CollectionName),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}},
	}
	everyone := bson.D{{Key: "clinicId", Value: s.clinicID}}
	with := func(conditions ...bson.E) bson.D { return append(everyone[:1:1], conditions...) }
	period := "summary.cgmStats.periods.14d."
	name := func(direction int) bson.D {
		return bson.D{{Key: "fullName", Value: direction}, {Key: "_id", Value: 1}}
	}
	var anywhere bson.A
	for _, field := range []string{"fullName", "email", "mrn", "birthDate"} {
		anywhere = append(anywhere, bson.D{{Key: field, Value: bson.Regex{Pattern: "garc", Options: "i"}}})
	}
	search := with(bson.E{Key: "$or", Value: anywhere})
	byTarget := bson.D{{Key: period + "hasTimeInTargetPercent", Value: -1}, {Key: period + "timeInTargetPercent", Value: -1}, {Key: "_id", Value: 1}}
	known := with(bson.E{Key: period + "hasTimeInTargetPercent", Value: true})
	filtered := with(bson.E{Key: "tags", Value: s.tags[3]}, bson.E{Key: period + "timeInTargetPercent", Value: bson.D{{Key: "$lt", Value: 0.5}}})
	byLow := bson.D{{Key: period + "hasTimeInLowMinutes", Value: -1}, {Key: period + "timeInLowMinutes", Value: -1}, {Key: "_id", Value: 1}}
	return []operation{
		{name: "get patient", service: b.get(b.patientPath), driver: b.findPatient},
		{name: "get clinic", service: b.get(fixed(b.clinicPath(""))), driver: b.findClinic},
		{name: "first page", service: b.list(""), driver: b.page(query{filter: everyone, sort: name(1), collated: true, hint: "PatientsByName"})},
		{name: "deep page", service: b.list(fmt.Sprintf("&offset=%d", s.number/2)),
			driver: b.page(query{filter: everyone, sort: name(1), collated: true, hint: "PatientsByName", offset: s.number / 2})},
		{name: "search", service: b.list("&search=garc"),
			driver: b.page(query{filter: search, sort: name(1), collated: true, hint: "PatientsByName", count: true})},
		{name: "sort by name, descending", service: b.list("&sort=-fullName&sortType=cgm"),
			driver: b.page(query{filter: everyone, sort: name(-1), collated: true, hint: "PatientsByNameDesc"})},
		{name: "sort by time in target", service: b.list("&sort=-timeInTargetPercent&sortType=cgm"),
			driver: b.page(query{filter: known, sort: byTarget[1:], hint: "PatientsBy-cgm-14d-timeInTargetPercentDesc"})},
		{name: "sort without an index", service: b.list("&sort=-timeInLowMinutes&sortType=cgm"), driver: b.page(query{filter: everyone, sort: byLow})},
		{name: "filter by tag and time in target", service: b.list("&tags=" + s.tags[3].Hex() + "&cgm.timeInTargetPercent=%3C0.5"),
			driver: b.page(query{filter: filtered, sort: name(1), collated: true, count: true})},
		{name: "TIDE report", service: b.get(fixed(b.clinicPath("/tide_report?period=14d&lastDataCutoff=2025-05-10T00:00:00Z&tags=" + s.tags[5].Hex()))), driver: b.tide},
		{name: "find by MRN", service: b.find, driver: b.findMRN},
		{name: "update patient", service: b.update, driver: b.updateOne},
		{name: "post summary", service: b.postSummary, driver: b.updateSummary},
		{name: "assign a tag to all", service: b.assignTag, driver: b.addTag, once: true},
	}
}

func fixed(path string) func(int) string { return func(int) string { return path } }

func (b *bench) clinicPath(rest string) string { return "/v1/clinics/" + b.clinicID.Hex() + rest }

// patient returns a number of a patient with a summary, scattered over all of them.
func (b *bench) patient(n int) int {
	number := (n * 7919) % b.number
	if number%20 == 19 {
		return number - 1
	}
	return number
}

func (b *bench) patientPath(n int) string {
	return b.clinicPath("/patients/" + userID(b.patient(n)))
}

func (b *bench) get(path func(n int) string) call {
	return func(ctx context.Context, n int) error { return b.do(ctx, serverToken, http.MethodGet, path(n), nil) }
}

func (b *bench) list(parameters string) call {
	return b.get(fixed(b.clinicPath(fmt.Sprintf("/patients?limit=%d%s", pageSize, parameters))))
}

// do calls the service and reads the whole answer.
func (b *bench) do(ctx context.Context, token, method, path string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, b.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("x-tidepool-session-token", token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("%s %s: %d %s", method, path, answer.StatusCode, text)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func (b *bench) ofPatient(n int) bson.D {
	return bson.D{{Key: "clinicId", Value: b.clinicID}, {Key: "userId", Value: userID(b.patient(n))}}
}

func (b *bench) findPatient(ctx context.Context, n int) error {
	_, err := b.patients.FindOne(ctx, b.ofPatient(n)).Raw()
	return err
}

func (b *bench) findClinic(ctx context.Context, _ int) error {
	_, err := b.clinics.FindOne(ctx, bson.D{{Key: "_id", Value: b.clinicID}}).Raw()
	return err
}

// query is a page as the driver reads it.
type query struct {
	filter, sort bson.D
	collated     bool
	offset       int
	hint         string // the index to use; "" leaves the choice to the database
	count        bool   // whether the service has to count as well
}

func (b *bench) page(q query) call {
	return func(ctx context.Context, _ int) error {
		find := options.Find().SetSort(q.sort).SetSkip(int64(q.offset)).SetLimit(pageSize)
		if q.collated {
			find.SetCollation(store.IgnoreCaseAndAccents())
		}
		if q.hint != "" {
			find.SetHint(q.hint)
		}
		if err := b.read(ctx, b.patients, q.filter, find); err != nil || !q.count {
			return err
		}
		_, err := b.patients.CountDocuments(ctx, q.filter)
		return err
	}
}

func (b *bench) read(ctx context.Context, from *mongo.Collection, filter bson.D, find *options.FindOptionsBuilder) error {
	cursor, err := from.Find(ctx, filter, find)
	if err != nil {
		return err
	}
	defer cursor.Close(ctx)
	for cursor.Next(ctx) {
		_ = cursor.Current
	}
	return cursor.Err()
}

// tide reads the patients of a tag with recent data, with what the report shows of them.
func (b *bench) tide(ctx context.Context, _ int) error {
	cutoff := time.Date(2025, 5, 10, 0, 0, 0, 0, time.UTC)
	filter := bson.D{{Key: "clinicId", Value: b.clinicID}, {Key: "tags", Value: b.tags[5]}, {Key: "summary.cgmStats.dates.lastData", Value: bson.D{{Key: "$gte", Value: cutoff}}}}
	projection := bson.D{{Key: "userId", Value: 1}, {Key: "fullName", Value: 1}, {Key: "summary.cgmStats.periods.14d", Value: 1}}
	return b.read(ctx, b.patients, filter, options.Find().SetProjection(projection))
}

func (b *bench) find(ctx context.Context, n int) error {
	return b.do(ctx, "u-"+b.adminID, http.MethodGet, "/v1/patients?mrn="+url.QueryEscape(mrn(b.patient(n))), nil)
}

func (b *bench) findMRN(ctx context.Context, n int) error {
	filter := bson.D{{Key: "clinicId", Value: b.clinicID}, {Key: "mrn", Value: mrn(b.patient(n))}}
	return b.read(ctx, b.patients, filter, options.Find().SetCollation(store.IgnoreCaseAndAccents()))
}

// update changes a name, as an edit form does.
func (b *bench) update(ctx context.Context, n int) error {
	body, err := json.Marshal(map[string]any{
		"fullName": fmt.Sprintf("Changed %d", n), "birthDate": "1999-01-02", "mrn": mrn(b.patient(n)), "tags": []string{b.tags[n%groups].Hex()},
	})
	if err != nil {
		return err
	}
	return b.do(ctx, serverToken, http.MethodPut, b.patientPath(n), body)
}

func (b *bench) updateOne(ctx context.Context, n int) error {
	_, err := b.patients.UpdateOne(ctx, b.ofPatient(n), bson.D{{Key: "$set", Value: bson.D{
		{Key: "fullName", Value: fmt.Sprintf("Changed %d", n)}, {Key: "tags", Value: bson.A{b.tags[n%groups]}}, {Key: "updatedTime", Value: store.Now()},
	}}})
	return err
}

func (b *bench) postSummary(ctx context.Context, n int) error {
	body, err := json.Marshal(b.maker.copy(n).summary(n))
	if err != nil {
		return err
	}
	return b.do(ctx, serverToken, http.MethodPost, "/v1/patients/"+userID(b.patient(n))+"/summary", body)
}

func (b *bench) updateSummary(ctx context.Context, n int) error {
	summary := b.maker.copy(n).summary(n)
	_, err := b.patients.UpdateMany(ctx, bson.D{{Key: "userId", Value: userID(b.patient(n))}}, bson.D{{Key: "$set", Value: bson.D{
		{Key: "summary.cgmStats", Value: summary.CGMStats}, {Key: "summary.bgmStats", Value: summary.BGMStats}, {Key: "updatedTime", Value: store.Now()},
	}}})
	return err
}

// assignTag gives a tag to all patients, of whom some have it.
func (b *bench) assignTag(ctx context.Context, _ int) error {
	return b.do(ctx, serverToken, http.MethodPost, b.clinicPath("/patients/assign_tag/"+b.tags[0].Hex()), nil)
}

func (b *bench) addTag(ctx context.Context, _ int) error {
	_, err := b.patients.UpdateMany(ctx, bson.D{{Key: "clinicId", Value: b.clinicID}, {Key: "tags", Value: bson.D{{Key: "$ne", Value: b.tags[1]}}}},
		bson.D{{Key: "$addToSet", Value: bson.D{{Key: "tags", Value: b.tags[1]}}}, {Key: "$set", Value: bson.D{{Key: "updatedTime", Value: store.Now()}}}})
	return err
}
