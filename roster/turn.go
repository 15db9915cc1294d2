package roster

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/flight"
)

// turns lets one at a time bring a table up to date. Who comes meanwhile shares the next turn, which begins only after: what
// was written before a request came is seen by it.
type turns struct {
	line    *flight.Turns[needs, struct{}]
	started int64

	mu       sync.Mutex
	suspects map[bson.ObjectID]bool
}

// needs are what requests need of a table.
type needs struct {
	paths  []string // of columns
	byName []int    // directions
}

// halves reports whether anything that is needed lies in a summary.
func (n needs) halves() bool {
	return slices.ContainsFunc(n.paths, func(path string) bool { return strings.HasPrefix(path, "summary.") })
}

// together returns what all of them need.
func together(all []needs) needs {
	var need needs
	for _, one := range all {
		need.paths = append(need.paths, one.paths...)
		need.byName = append(need.byName, one.byName...)
	}
	slices.Sort(need.paths)
	slices.Sort(need.byName)
	need.paths, need.byName = slices.Compact(need.paths), slices.Compact(need.byName)
	return need
}

const (
	// overlap is how much later than at its updatedTime a write may be seen. It covers the longest transaction (15 s), an update of
	// many patients that is seen when it ends, as long as its caller waits for it, and clocks of replicas that differ by some seconds.
	overlap = 30 * time.Second
	// maxAge bounds for how long what no rule finds, a repair by hand above all, can go unnoticed.
	maxAge = time.Hour
	// looks is how often a table is compared with the numbers of the database before it is used as it is: a clinic that changes all
	// the time may never agree with numbers that are read beside.
	looks = 4
)

// refresh brings the table up to date with all that was written before, and makes it have what is needed.
func (t *table) refresh(ctx context.Context, need needs) error {
	_, err := t.turns.line.Do(ctx, "", need)
	return err
}

// suspect makes the next turn read these patients.
func (t *table) suspect(ids []bson.ObjectID) {
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	for _, id := range ids {
		t.turns.suspects[id] = true
	}
}

func (t *table) suspects() []bson.ObjectID {
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	ids := slices.Collect(maps.Keys(t.turns.suspects))
	clear(t.turns.suspects)
	return ids
}

func (t *table) turn(ctx context.Context, all []needs) ([]struct{}, error) {
	t.turns.started++
	err := t.update(ctx, together(all))
	t.owner.resized(t)
	return make([]struct{}, len(all)), err
}

func (t *table) update(ctx context.Context, need needs) error {
	if err := t.complete(ctx, need); err != nil {
		return err
	}
	for look := range looks {
		seen, err := t.look(ctx, need, look > 0)
		if err != nil {
			return err
		}
		if err := t.apply(ctx, seen); err != nil {
			return err
		}
		if t.isRight(seen) {
			return nil
		}
		if look == 1 || look == 2 { // it was no write in between
			if err := t.repair(ctx, seen, need); err != nil {
				return err
			}
		}
	}
	return nil
}

// isRight reports whether the table has as many rows as the database.
func (t *table) isRight(seen *sight) bool {
	c := t.contents
	t.turns.mu.Lock()
	doubts := len(t.turns.suspects)
	t.turns.mu.Unlock()
	return doubts == 0 && len(c.slots) == seen.total && (seen.newest.IsZero() || c.has(seen.newest)) && !seen.halvesDiffer(c)
}

// repair reads anew what does not agree.
func (t *table) repair(ctx context.Context, seen *sight, need needs) error {
	if seen.halvesDiffer(t.contents) {
		// A half of a summary was removed, which leaves no trace in the record.
		return t.load(ctx, need)
	}
	ids, err := t.owner.reads.ids(ctx, t.clinicID)
	if err != nil {
		return err
	}
	there := make(map[bson.ObjectID]bool, len(ids))
	var unknown, gone []bson.ObjectID
	for _, id := range ids {
		there[id] = true
		if !t.contents.has(id) {
			unknown = append(unknown, id)
		}
	}
	for id := range t.contents.slots {
		if !there[id] {
			gone = append(gone, id)
		}
	}
	t.mu.Lock()
	t.contents.remove(gone)
	t.mu.Unlock()
	t.suspect(unknown)
	return nil
}

// complete loads what is missing in the table.
func (t *table) complete(ctx context.Context, need needs) error {
	if time.Since(t.contents.loaded) > maxAge {
		if err := t.load(ctx, need); err != nil {
			return err
		}
	}
	var missing []string
	for _, path := range need.paths {
		if column, ok := t.contents.columns[path]; ok {
			column.used = t.turns.started
		} else {
			missing = append(missing, path)
		}
	}
	if len(missing) > 0 {
		if err := t.addColumns(ctx, missing); err != nil {
			return err
		}
	}
	for _, direction := range need.byName {
		if t.contents.byName[direction] != nil {
			continue
		}
		ids, err := t.owner.reads.readNames(ctx, t.clinicID, direction)
		if err != nil {
			return err
		}
		t.mu.Lock()
		doubtful := t.contents.arrange(direction, ids)
		t.mu.Unlock()
		t.suspect(doubtful)
	}
	return nil
}
