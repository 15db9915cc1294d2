package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
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
	database *store.Database

	inserters int // how many of them make a clinic
}

func newBench(s *stage, service string, d *store.Database, inserters int) *bench {
	return &bench{
		stage: s, url: service, patients: d.Collection(patients.CollectionName), clinics: d.Collection(clinics.CollectionName),
		database: d, inserters: inserters,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}},
	}
}

// at returns the same for another clinic.
func (b *bench) at(s *stage) *bench {
	other := *b
	other.stage = s
	return &other
}

// operations returns what clinics wait for, with the merge of two clinics only if that is asked for. The bare driver reads the same
// records from the same database in the same order, by the same index, and decodes nothing; where the service has to count, so does
// the driver. Before them comes a request without any of that: what HTTP, the callers and the machine cost.
func (b *bench) operations(merge bool) []operation {
	list := []operation{{name: "nothing", service: work{do: b.get(fixed("/live"))}}}
	list = append(append(list, b.small()...), b.pages()...)
	list = append(list, b.writes()...)
	if merge {
		list = append(list, operation{name: "merge N/2 + N/2", wanted: "≤ 30 s at 20,000", once: true, service: b.mergeByService(), driver: b.moveByDriver()})
	}
	return list
}

func plain(name, wanted string, service, driver call) operation {
	return operation{name: name, wanted: wanted, service: work{do: service}, driver: work{do: driver}}
}

// small are requests about one document.
func (b *bench) small() []operation {
	return []operation{
		plain("get patient", "≥ 1,000 /s", b.get(b.patientPath), b.findPatient),
		plain("get clinic", "ratio ≤ 2", b.get(fixed(b.clinicPath(""))), b.findClinic),
		plain("find by MRN", "ratio ≤ 2", b.find, b.findMRN),
	}
}

// pages are requests about many patients.
func (b *bench) pages() []operation {
	everyone := bson.D{{Key: "clinicId", Value: b.clinicID}}
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
	byTarget := bson.D{{Key: period + "timeInTargetPercent", Value: -1}, {Key: "_id", Value: 1}}
	known := with(bson.E{Key: period + "hasTimeInTargetPercent", Value: true})
	filtered := with(bson.E{Key: "tags", Value: b.tags[3]}, bson.E{Key: period + "timeInTargetPercent", Value: bson.D{{Key: "$lt", Value: 0.5}}})
	byLow := bson.D{{Key: period + "hasTimeInLowMinutes", Value: -1}, {Key: period + "timeInLowMinutes", Value: -1}, {Key: "_id", Value: 1}}
	byLastData := bson.D{{Key: "summary.cgmStats.dates.lastData", Value: -1}, {Key: "_id", Value: 1}}
	first := query{filter: everyone, sort: name(1), collated: true, hint: "PatientsByName"}
	deep := first
	deep.offset = b.number / 2
	tide := "/tide_report?period=14d&lastDataCutoff=2025-05-10T00:00:00Z&tags=" + b.tags[5].Hex()
	return []operation{
		plain("first page", "≥ 130 /s", b.list(""), b.page(first)),
		plain("first page, gzipped", "", b.zipped(b.list("")), b.page(first)),
		plain("page from the middle", "≥ 50 /s", b.list(fmt.Sprintf("&offset=%d", b.number/2)), b.page(deep)),
		plain("search in names", "≥ 50 /s", b.list("&search=garc"), b.page(query{filter: search, sort: name(1), collated: true, hint: "PatientsByName", count: true})),
		plain("sort by name, descending", "", b.list("&sort=-fullName&sortType=cgm"), b.page(query{filter: everyone, sort: name(-1), collated: true, hint: "PatientsByNameDesc"})),
		plain("sort by time in range", "≥ 130 /s", b.list("&sort=-timeInTargetPercent&sortType=cgm"),
			b.page(query{filter: known, sort: byTarget, hint: "PatientsBy-cgm-14d-timeInTargetPercentDesc"})),
		plain("order without an index", "≥ 50 /s", b.list("&sort=-timeInLowMinutes&sortType=cgm"), b.page(query{filter: everyone, sort: byLow})),
		plain("filter by tag and time in range, by last data", "≥ 50 /s",
			b.list("&sort=-lastData&sortType=cgm&tags="+b.tags[3].Hex()+"&cgm.timeInTargetPercent=%3C0.5"), b.page(query{filter: filtered, sort: byLastData, count: true})),
		plain("TIDE report", "≥ 50 /s", b.get(fixed(b.clinicPath(tide))), b.tide),
	}
}

func (b *bench) writes() []operation {
	return []operation{
		plain("update patient", "ratio ≤ 2", b.update, b.updateOne),
		plain("post summary", "≥ 600 /s", b.postSummary, b.updateSummary),
		plain("Redox intake", "≥ 2,500 /s", b.intake, b.insertMessage),
		{
			name: "assign a tag to all", wanted: "answer < 2 s", once: true,
			service: work{do: b.assignTag, prepare: b.withoutTag(0), finish: b.everybodyTagged}, driver: work{do: b.addTag, prepare: b.withoutTag(1)},
		},
		{
			name: "assign a tag, until all have it", once: true,
			service: work{do: b.assignTagToTheEnd, prepare: b.withoutTag(0)}, driver: work{do: b.addTag, prepare: b.withoutTag(1)},
		},
	}
}

func fixed(path string) func(int) string { return func(int) string { return path } }

func (b *bench) clinicPath(rest string) string { return "/v1/clinics/" + b.clinicID.Hex() + rest }

// patient returns a number of a patient with a summary, scattered over all of them.
func (b *bench) patient(n int) int {
	number := b.first + (n*7919)%b.number
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

type zippedKey struct{}

// zipped asks for a compressed answer, which is not unpacked here.
func (b *bench) zipped(plain call) call {
	return func(ctx context.Context, n int) error { return plain(context.WithValue(ctx, zippedKey{}, true), n) }
}

// do calls the service and reads the whole answer.
func (b *bench) do(ctx context.Context, token, method, path string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, b.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("x-tidepool-session-token", token)
	request.Header.Set("verification-token", neighbourSecret)
	if ctx.Value(zippedKey{}) != nil {
		request.Header.Set("Accept-Encoding", "gzip")
	}
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

// page leaves the hint out if the engine refuses it at the first call, which is made alone.
func (b *bench) page(q query) call {
	return func(ctx context.Context, n int) error {
		err := b.readPage(ctx, q)
		if refused := (mongo.CommandError{}); n == 0 && q.hint != "" && errors.As(err, &refused) {
			fmt.Fprintf(os.Stderr, "load: the engine refuses the hint %s, so the driver leaves it out: %s\n", q.hint, refused.Message)
			q.hint = ""
			err = b.readPage(ctx, q)
		}
		return err
	}
}

func (b *bench) readPage(ctx context.Context, q query) error {
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
