package roster

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// paths are those of the columns that a report looks at.
func (q TideQuery) paths() []string {
	paths := []string{cgmLastData}
	for _, name := range tideFields {
		paths = append(paths, q.periodPath()+"."+name)
	}
	return paths
}

// tideByTable returns the candidates of a report, and the patients without recent data, if they are wanted. The error is errTooLarge if the
// table of the clinic cannot tell.
func (s *Service) tideByTable(ctx context.Context, query TideQuery) (candidates []candidate, noData []bson.ObjectID, err error) {
	err = s.tables.of(query.ClinicID).read(ctx, needs{paths: query.paths()}, func(c *contents) (ok bool) {
		candidates, noData, ok = c.tide(query, store.Now())
		return ok
	})
	return candidates, noData, err
}

// tide chooses among the rows; ok is false if a column is missing.
func (c *contents) tide(query TideQuery, now time.Time) (candidates []candidate, noData []bson.ObjectID, ok bool) {
	matches, _ := c.matcher(selection{tags: query.Tags, sites: query.Sites})
	var columns []*column
	for _, path := range query.paths() {
		column, ok := c.columns[path]
		if !ok {
			return nil, nil, false
		}
		columns = append(columns, column)
	}
	last, fields := columns[0], columns[1:]
	recent := instantCondition("$gte", query.Cutoff)
	old, stale := instantCondition("$lt", query.Cutoff), instantCondition("$lt", now.Add(-freshness))
	var without []int32
	for _, slot := range c.slots {
		if !matches(slot) {
			continue
		}
		if last.meets(slot, recent) {
			candidates = append(candidates, c.candidate(slot, fields))
		}
		if last.class[slot] == classes[bson.TypeNull] || last.meets(slot, stale) && (last.meets(slot, old) || c.rows[slot].broken) {
			without = append(without, slot)
		}
	}
	if query.ExcludeNoData {
		return candidates, nil, true
	}
	slices.SortFunc(without, func(a, b int32) int { return cmp.Or(last.at(a).compare(last.at(b)), c.before(a, b)) })
	for _, slot := range without[:min(len(without), maxNoDataPatients)] {
		noData = append(noData, c.rows[slot].id)
	}
	return candidates, noData, true
}

func instantCondition(operator string, at time.Time) valueCondition {
	return valueCondition{operator: operator, operand: sortValueOf(at)}
}

// candidate returns what categories depend on.
func (c *contents) candidate(slot int32, fields []*column) candidate {
	found := candidate{id: c.rows[slot].id}
	for i, field := range fields {
		found.values[i] = math.NaN()
		if _, odd := field.odd[slot]; field.class[slot] == classes[bson.TypeDouble] && !odd {
			found.values[i] = field.number[slot]
		}
	}
	return found
}
