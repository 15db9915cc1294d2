package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/feed"
	"github.com/tidepool-org/clinic/internal/observe"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/xealth"
)

// measures provides what every graph reports to.
func measures() fx.Option {
	return fx.Provide(
		api.NewMetrics,
		func(face *api.Metrics) *observe.Metrics { return observe.NewMetrics(face.Registry()) },
		observe.NewBackground,
		newTracer,
		func() *Local { return &Local{} },
	)
}

// reported is everything that has something to report.
type reported struct {
	fx.In

	Lifecycle  fx.Lifecycle
	Metrics    *observe.Metrics
	Background *observe.Background
	Log        *observe.Log `optional:"true"` // tests bring a logger of their own
	Health     *api.Health
	Store      *store.Database
	Indexes    *store.IndexBuilder
	Census     *census.Service
	Merge      *merge.Service
	Patients   *patients.Service
	Redox      *redox.Service
	Roster     *roster.Service
	Events     *feed.Service
	Xealth     *xealth.Service
}

const (
	// Gauges that need queries are refreshed in the background, so that reading metrics never waits for the database.
	refreshInterval = 30 * time.Second
	refreshLimit    = 20 * time.Second
	// Indexes change rarely.
	indexInterval = 5 * time.Minute
	// readyInterval is how often the database is asked if no probe does.
	readyInterval = 5 * time.Second
)

// report adds the metrics of all packages. What needs queries begins when the database is connected, and ends before it is
// closed. docs/metrics.md lists all metrics; a test compares.
func report(r reported) {
	tallies(r)
	background := []func(){reportReady(r), reportIndexes(r), reportCensus(r), reportMerges(r), reportTagChanges(r), reportOrders(r)}
	r.Lifecycle.Append(fx.Hook{
		OnStart: func(context.Context) error {
			for _, begin := range background {
				begin()
			}
			return nil
		},
		OnStop: func(context.Context) error {
			r.Background.Stop()
			return nil
		},
	})
}

// reportTables adds what the tables of patients take and do.
func reportTables(m *observe.Metrics, lists *roster.Service) {
	counted := lists.TableTallies()
	m.Counter("clinic_table_loads_total", "Tables of patients that were read as a whole.", counted.Loads)
	m.Counter("clinic_table_columns_total", "Times that columns were added to a table of patients.", counted.Columns)
	m.CounterFunc("clinic_table_changes_total", "Changed records that were read to bring tables of patients up to date.",
		func() float64 { return float64(lists.ChangedRows()) })
	size := func(part func(tables, rows, bytes int) int) func() float64 {
		return func() float64 { return float64(part(lists.TableSizes())) }
	}
	m.GaugeFunc("clinic_tables", "Clinics of which a table of patients is in memory.", size(func(tables, _, _ int) int { return tables }))
	m.GaugeFunc("clinic_table_rows", "Patients in these tables.", size(func(_, rows, _ int) int { return rows }))
	m.GaugeFunc("clinic_table_bytes", "Memory of these tables, as estimated.", size(func(_, _, bytes int) int { return bytes }))
}

func tallies(r reported) {
	reportTables(r.Metrics, r.Roster)
	r.Metrics.GaugeFunc("clinic_event_followers", "Services that follow events.", func() float64 { return float64(r.Events.Followers()) })
	m, counted, received := r.Metrics, r.Census.Tallies(), r.Redox.Tallies()
	m.Counter("clinic_census_recounts_total", "Clinics whose patients were counted anew.", counted.Recounts, "reason", "outcome")
	m.Counter("clinic_census_drift_total", "Recounts that found other numbers than were stored.", counted.Drift)
	m.Counter("clinic_redox_messages_total", "Messages received from Redox.", received.Messages, "outcome")
	m.Counter("clinic_redox_matches_total", "Orders of Redox that were matched, or why not.", received.Matches, "outcome")
	m.Counter("clinic_ehr_syncs_total", "Synchronizations with health records that were asked for.", received.Syncs, "scope", "outcome")
	m.Counter("clinic_xealth_events_total", "Events received from Xealth.", r.Xealth.Tallies().Events, "outcome")
	m.Times("clinic_xealth_turn_wait_seconds", "Time that an event waits for its turn with a patient.", r.Xealth.Tallies().TurnWaits)
	m.CounterFunc("clinic_log_lines_dropped_total", "Log lines that could not be written.", func() float64 {
		if r.Log == nil {
			return 0
		}
		return float64(r.Log.Dropped())
	})
}

func reportReady(r reported) func() {
	r.Metrics.GaugeFunc("clinic_ready", "1 while /ready answers 200.", func() float64 {
		if r.Health.IsReady() {
			return 1
		}
		return 0
	})
	return func() { r.Background.Every(readyInterval, refreshLimit, "ready", r.Health.Check) }
}

func reportIndexes(r reported) func() {
	missing := r.Metrics.Gauge("clinic_index_missing", "Indexes that the service wants and does not find.", "collection")
	building := r.Metrics.Gauge("clinic_index_building", "Indexes that this process is building.", "collection")
	wanted := Indexes()
	return func() {
		r.Background.Every(indexInterval, refreshLimit, "missing indexes", func(ctx context.Context) error {
			if _, err := r.Indexes.Check(ctx); err != nil {
				return err
			}
			setAll(missing, wanted, r.Indexes.Missing())
			return nil
		})
		r.Background.Every(readyInterval, refreshLimit, "indexes being built", func(context.Context) error {
			setAll(building, wanted, r.Indexes.Building())
			return nil
		})
	}
}

// setAll sets a gauge for each collection of the service.
func setAll(gauge *prometheus.GaugeVec, sets []store.Indexes, values map[string]int) {
	for _, set := range sets {
		gauge.WithLabelValues(set.Collection).Set(float64(values[set.Collection]))
	}
}

func reportCensus(r reported) func() {
	notes := r.Metrics.Gauge("clinic_census_notes", "Changes of a census that are under way or were left behind.").WithLabelValues()
	oldest := r.Metrics.Gauge("clinic_census_oldest_note_seconds", "Age of the oldest of them; 0 without any.").WithLabelValues()
	return reportBacklog(r, "notes of the census", r.Census.Backlog, notes, oldest)
}

func reportMerges(r reported) func() {
	open := r.Metrics.Gauge("clinic_merges_open", "Merges that are not complete.").WithLabelValues()
	oldest := r.Metrics.Gauge("clinic_merge_oldest_seconds", "Age of the oldest of them; 0 without any.").WithLabelValues()
	steps := r.Metrics.Gauge("clinic_merge_steps_left", "Steps that all of them have left.").WithLabelValues()
	return func() {
		r.Background.Every(refreshInterval, refreshLimit, "open merges", func(ctx context.Context) error {
			left, err := r.Merge.Backlog(ctx)
			if err != nil {
				return err
			}
			open.Set(float64(left.Open))
			oldest.Set(left.Oldest.Seconds())
			steps.Set(float64(left.Steps))
			return nil
		})
	}
}

func reportTagChanges(r reported) func() {
	open := r.Metrics.Gauge("clinic_tag_changes_open", "Changes of a tag of many patients that are not complete.").WithLabelValues()
	oldest := r.Metrics.Gauge("clinic_tag_change_oldest_seconds", "Age of the oldest of them; 0 without any.").WithLabelValues()
	return reportBacklog(r, "changes of tags", r.Patients.TagBacklog, open, oldest)
}

// reportBacklog keeps up to date how much work is not complete, and how old the oldest is.
func reportBacklog(r reported, what string, backlog func(context.Context) (int64, time.Duration, error), number, oldest prometheus.Gauge) func() {
	return func() {
		r.Background.Every(refreshInterval, refreshLimit, what, func(ctx context.Context) error {
			n, age, err := backlog(ctx)
			if err != nil {
				return err
			}
			number.Set(float64(n))
			oldest.Set(age.Seconds())
			return nil
		})
	}
}

func reportOrders(r reported) func() {
	begin := func(name, help, work string, age func(context.Context) (time.Duration, error)) func() {
		gauge := r.Metrics.Gauge(name, help).WithLabelValues()
		return func() {
			r.Background.Every(refreshInterval, refreshLimit, work, func(ctx context.Context) error {
				oldest, err := age(ctx)
				if err == nil {
					gauge.Set(oldest.Seconds())
				}
				return err
			})
		}
	}
	orders := begin("clinic_redox_oldest_pending_seconds", "Age of the oldest order of Redox that did not act yet; 0 without any.",
		"pending orders of Redox", r.Redox.OldestPending)
	events := begin("clinic_xealth_oldest_pending_seconds", "Age of the oldest event of Xealth that was not applied; 0 without any.",
		"pending events of Xealth", r.Xealth.OldestPending)
	return func() {
		orders()
		events()
	}
}
