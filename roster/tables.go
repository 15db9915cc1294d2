package roster

import (
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/tally"
	"github.com/tidepool-org/clinic/store"
)

// maxTables bounds the memory of all tables, in bytes, as estimated. Ten clinics of 20,000 patients, each with forty columns, fit in, and a
// process with them stays below 200 MB. A clinic that would take more than half is read without a table.
const maxTables = 96 << 20

// tables are the tables of clinics. When they take too much memory, that of the clinic that was used least lately goes.
type tables struct {
	reads   *tableReads
	max     int
	overlap time.Duration

	mu    sync.Mutex
	clock int64
	kept  map[bson.ObjectID]*table
	bytes int

	loads, columns *tally.Counter
	changes        atomic.Int64
}

func newTables(d *store.Database, totals *totals) *tables {
	return &tables{
		reads: newTableReads(d, totals), max: maxTables, overlap: overlap, kept: map[bson.ObjectID]*table{},
		loads: tally.NewCounter(), columns: tally.NewCounter(),
	}
}

// of returns the table of a clinic, which may be empty yet.
func (all *tables) of(clinicID bson.ObjectID) *table {
	all.mu.Lock()
	defer all.mu.Unlock()
	t, ok := all.kept[clinicID]
	if !ok {
		t = newTable(clinicID, all)
		all.kept[clinicID] = t
	}
	all.clock++
	t.used = all.clock
	return t
}

// resized notes the memory of a table, and forgets others if all take too much.
func (all *tables) resized(t *table) {
	t.mu.RLock()
	size := tableSize{rows: len(t.contents.slots), bytes: t.contents.size() + emptyTable}
	t.mu.RUnlock()
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.kept[t.clinicID] != t { // it was forgotten meanwhile
		return
	}
	all.bytes += size.bytes - t.size.bytes
	t.size = size
	for all.bytes > all.max && len(all.kept) > 1 {
		var last *table
		for _, other := range all.kept {
			if other != t && (last == nil || other.used < last.used) {
				last = other
			}
		}
		delete(all.kept, last.clinicID)
		all.bytes -= last.size.bytes
	}
}

// TableTallies say what the tables of clinics take and do.
type TableTallies struct {
	Loads   *tally.Counter // whole tables that were read
	Columns *tally.Counter // times that columns were added to a table
}

// TableTallies returns what the tables have counted.
func (s *Service) TableTallies() TableTallies {
	return TableTallies{Loads: s.tables.loads, Columns: s.tables.columns}
}

// ChangedRows returns how many changed records tables have read.
func (s *Service) ChangedRows() int64 { return s.tables.changes.Load() }

// TableSizes returns how many clinics have a table, how many rows these have, and how many bytes they take, as estimated.
func (s *Service) TableSizes() (tables, rows, bytes int) {
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	for _, t := range s.tables.kept {
		rows += t.size.rows
	}
	return len(s.tables.kept), rows, s.tables.bytes
}

// emptyTable is what a table without rows takes, so that clinics that do not exist are forgotten as well.
const emptyTable = 4 << 10
