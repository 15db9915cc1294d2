package roster

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// TideQuery says which patients a TIDE report is about.
type TideQuery struct {
	ClinicID bson.ObjectID
	Period   string
	Tags     *Groups
	Sites    *Groups
	Cutoff   time.Time // the oldest summary.CGM data that counts
	// Categories are the names of the categories to fill, in this order. None stands for the usual ones.
	Categories    []string
	ExcludeNoData bool
}

// TideReport maps the name of a category to its patients, in the order of the category. Of a patient it holds what a report
// shows; the values of the summary.CGM period that was asked for are in the summary.
type TideReport map[string][]*patients.Patient

// NoData is the category of patients without recent data.
const NoData = "noData"

const (
	maxTidePatients   = 100 // in all categories but NoData
	maxNoDataPatients = 50
	// freshness is how old data may be before the lack of newer data is worth a look.
	freshness = 8 * time.Hour
)

// tideFields are what categories depend on, as positions in a candidate.
var tideFields = [tideFieldCount]string{
	"timeInVeryLowPercent", "timeInAnyLowPercent", "timeInExtremeHighPercent", "timeInVeryHighPercent", "timeInAnyHighPercent",
	"timeInTargetPercentDelta", "timeCGMUsePercent", "timeInTargetPercent",
}

const tideFieldCount = 8

// tideCategory is a category of the report: who belongs to it, and the field that orders it.
type tideCategory struct {
	name       string
	field      string
	descending bool
	fits       func(value float64) bool
	// unless names categories to whose patients this one is closed.
	unless []string
	// also must fit besides; its order does not matter.
	also *tideCategory
}

// tideCategories returns all categories but NoData, in no order that matters.
func tideCategories() []tideCategory {
	return []tideCategory{
		{name: "timeInVeryLowPercent", field: "timeInVeryLowPercent", descending: true, fits: func(v float64) bool { return v > 0.01 }},
		{name: "timeInAnyLowPercent", field: "timeInAnyLowPercent", descending: true, fits: func(v float64) bool { return v > 0.04 }},
		{name: "timeInExtremeHighPercent", field: "timeInExtremeHighPercent", descending: true, fits: func(v float64) bool { return v >= 0.01 }},
		{name: "timeInVeryHighPercent", field: "timeInVeryHighPercent", descending: true, fits: func(v float64) bool { return v > 0.05 }},
		{name: "timeInAnyHighPercent", field: "timeInAnyHighPercent", descending: true, fits: func(v float64) bool { return v > 0.25 }},
		{name: "dropInTimeInTargetPercent", field: "timeInTargetPercentDelta", fits: func(v float64) bool { return v < -0.15 }},
		{name: "timeCGMUsePercent", field: "timeCGMUsePercent", fits: func(v float64) bool { return v < 0.7 }},
		{name: "timeInTargetPercent", field: "timeInTargetPercent", fits: func(v float64) bool { return v < 0.7 }},
		{
			name: "meetingTargets", field: "timeInTargetPercent", descending: true, fits: func(v float64) bool { return v >= 0.7 },
			also:   &tideCategory{field: "timeCGMUsePercent", fits: func(v float64) bool { return v >= 0.7 }},
			unless: []string{"timeInAnyLowPercent", "timeInVeryLowPercent", "timeInAnyHighPercent", "timeInVeryHighPercent", "timeInExtremeHighPercent"},
		},
	}
}

// usualCategories are those of a report that asks for none.
var usualCategories = []string{
	"timeInVeryLowPercent", "timeInAnyLowPercent", "timeInVeryHighPercent", "timeInAnyHighPercent", "dropInTimeInTargetPercent",
	"timeCGMUsePercent", "meetingTargets",
}

var tideCategoriesByName = func() map[string]tideCategory {
	byName := map[string]tideCategory{}
	for _, category := range tideCategories() {
		byName[category.name] = category
	}
	return byName
}()

// Tide returns the TIDE report. The table of the clinic says who is listed; of these the report then reads what it shows. Who
// turns out to be gone makes the table be brought up to date, and be asked once more.
func (s *Service) Tide(ctx context.Context, query TideQuery) (TideReport, error) {
	for round := 1; ; round++ {
		candidates, ids, err := s.tideByTable(ctx, query)
		if errors.Is(err, errTooLarge) {
			return s.tideByQuery(ctx, query)
		}
		if err != nil {
			return nil, err
		}
		chosen := chooseTide(query.Categories, candidates)
		if !query.ExcludeNoData {
			chosen[NoData] = ids
		}
		report := TideReport{}
		gone, err := s.showTide(ctx, query, chosen, report)
		if err != nil || len(gone) == 0 || round == rankings {
			return report, err
		}
		s.tables.of(query.ClinicID).suspect(gone)
	}
}

// tideByQuery reads what categories depend on, of all patients of the tags and sites who have recent data, and at the same time the patients without such
// data; and then what the report shows of the patients it lists.
func (s *Service) tideByQuery(ctx context.Context, query TideQuery) (TideReport, error) {
	report := TideReport{}
	var noData []*patients.Patient
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		candidates, err := s.tideCandidates(groupCtx, query)
		if err != nil {
			return err
		}
		_, err = s.showTide(groupCtx, query, chooseTide(query.Categories, candidates), report)
		return err
	})
	if !query.ExcludeNoData {
		group.Go(func() (err error) {
			noData, err = s.tideNoData(groupCtx, query)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if !query.ExcludeNoData {
		report[NoData] = noData
	}
	return report, nil
}

func (q TideQuery) filter() bson.D {
	return append(bson.D{{Key: "clinicId", Value: q.ClinicID}}, groupConditions(q.Tags, q.Sites)...)
}

// tideIndex leads to the patients of a tag by the age of their data.
const tideIndex = "PatientsByTagAndLastData"

// index returns the index that leads to the fewest patients.
func (q TideQuery) index() string {
	if q.Tags == nil {
		return "Sites"
	}
	return tideIndex
}

const cgmLastData = "summary.cgmStats.dates.lastData"

func (q TideQuery) periodPath() string { return "summary.cgmStats.periods." + q.Period }

// candidate is a patient who may be listed.
type candidate struct {
	id     bson.ObjectID
	values [tideFieldCount]float64 // of tideFields; not a number if it is not known, which meets no condition
}

func (s *Service) tideCandidates(ctx context.Context, query TideQuery) ([]candidate, error) {
	projection := bson.D{}
	for _, name := range tideFields {
		projection = append(projection, bson.E{Key: query.periodPath() + "." + name, Value: 1})
	}
	filter := append(query.filter(), bson.E{Key: cgmLastData, Value: bson.D{{Key: "$gte", Value: query.Cutoff}}})
	cursor, err := s.find(ctx, filter, options.Find().SetProjection(projection).SetBatchSize(rankBatch), query.index())
	if err != nil {
		return nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	var candidates []candidate
	for cursor.Next(ctx) {
		c := candidate{id: cursor.Current.Lookup("_id").ObjectID()}
		for i, name := range tideFields {
			value, ok := lookup(cursor.Current, query.periodPath()+"."+name).AsFloat64OK()
			if !ok {
				value = math.NaN()
			}
			c.values[i] = value
		}
		candidates = append(candidates, c)
	}
	return candidates, cursor.Err()
}

func (c candidate) value(field string) float64 { return c.values[slices.Index(tideFields[:], field)] }

// accepts reports whether the category is open to a patient. A value that is not known fits no condition.
func (t tideCategory) accepts(c candidate) bool {
	if !t.fits(c.value(t.field)) || t.also != nil && !t.also.accepts(c) {
		return false
	}
	return !slices.ContainsFunc(t.unless, func(name string) bool { return tideCategoriesByName[name].accepts(c) })
}

// before orders the patients of a category.
func (t tideCategory) before(a, b candidate) int {
	order := cmp.Compare(a.value(t.field), b.value(t.field))
	if t.descending {
		order = -order
	}
	return cmp.Or(order, bytes.Compare(a.id[:], b.id[:]))
}

// chooseTide fills the categories one after the other. A patient is listed once; when the most that a report may list is reached,
// the categories that are left are not part of it.
func chooseTide(names []string, candidates []candidate) map[string][]bson.ObjectID {
	if len(names) == 0 {
		names = usualCategories
	}
	chosen := map[string][]bson.ObjectID{}
	left := maxTidePatients
	for _, name := range names {
		if _, done := chosen[name]; done {
			continue
		}
		if left == 0 {
			break
		}
		category := tideCategoriesByName[name]
		var fitting, others []candidate
		for _, c := range candidates {
			if category.accepts(c) {
				fitting = append(fitting, c)
			} else {
				others = append(others, c)
			}
		}
		slices.SortFunc(fitting, category.before)
		fitting, rest := fitting[:min(left, len(fitting))], fitting[min(left, len(fitting)):]
		chosen[name] = make([]bson.ObjectID, 0, len(fitting))
		for _, c := range fitting {
			chosen[name] = append(chosen[name], c.id)
		}
		left -= len(fitting)
		candidates = append(others, rest...)
	}
	return chosen
}

// tideNoData returns patients whose data ends before the cut-off or who never had any, and those without fresh data whose
// Dexcom account is not connected, oldest data first.
func (s *Service) tideNoData(ctx context.Context, query TideQuery) ([]*patients.Patient, error) {
	broken := bson.D{{Key: "dataSources", Value: bson.D{{Key: "$elemMatch", Value: bson.D{
		{Key: "providerName", Value: patients.ProviderDexcom}, {Key: "state", Value: bson.D{{Key: "$ne", Value: "connected"}}},
	}}}}}
	stale := bson.D{
		{Key: cgmLastData, Value: bson.D{{Key: "$lt", Value: store.Now().Add(-freshness)}}},
		{Key: "$or", Value: bson.A{bson.D{{Key: cgmLastData, Value: bson.D{{Key: "$lt", Value: query.Cutoff}}}}, broken}},
	}
	filter := append(query.filter(), bson.E{Key: "$or", Value: bson.A{bson.D{{Key: cgmLastData, Value: nil}}, stale}})
	return s.tidePatients(ctx, query, filter, options.Find().SetSort(store.Ascending(cgmLastData, "_id")).SetLimit(maxNoDataPatients), query.index())
}
