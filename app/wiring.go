package app

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/api"
	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/feed"
	"github.com/tidepool-org/clinic/idempotency"
	"github.com/tidepool-org/clinic/internal/observe"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/traces"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/migration"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/xealth"
)

const (
	// StartTimeout bounds everything between the first connection and the first request. What is waited for ends sooner, so
	// that the process can say what did not answer.
	StartTimeout = 15 * time.Second
	// The parts of it.
	databaseTime  = 6 * time.Second
	checkTime     = time.Second
	neighbourTime = 5 * time.Second
	// StopTimeout bounds how long requests in flight may take once the listener is closed.
	StopTimeout = 15 * time.Second
	// closeTime is for what is left to do when the last request is answered or cut off.
	closeTime = 2 * time.Second
	// batchTime is how long a stop waits for writes in the background, such as of a batch of patients who get a tag.
	batchTime = 5 * time.Second
)

// WholeStop returns how long a stop may take in all. It must be less than what the process is granted, 30 seconds in
// Kubernetes.
func WholeStop(c config.HTTP) time.Duration { return c.DrainDelay + StopTimeout + closeTime }

// Service returns the graph of the whole service. Starting it connects, makes indexes, logs in and listens, in this order;
// stopping it undoes that in reverse.
func Service(c config.Config, log *zap.Logger) fx.Option {
	return fx.Options(
		settings(c, log),
		Domain(),
		neighbours(),
		measures(),
		face(),
		fx.Invoke(startStore, startNeighbours, report, startLocal, startFace),
	)
}

// settings returns what every graph has.
func settings(c config.Config, log *zap.Logger) fx.Option {
	return fx.Options(
		fx.StartTimeout(StartTimeout),
		fx.StopTimeout(WholeStop(c.HTTP)),
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		fx.Supply(c, c.HTTP, c.Local, c.Store, c.Platform, c.Demo, c.Audit, c.Redox, c.Xealth, log),
	)
}

// Domain returns everything between the database and the HTTP face.
func Domain() fx.Option {
	return fx.Provide(
		openStore,
		store.NewLeases,
		func(d *store.Database, leases *store.Leases) *store.IndexBuilder {
			return store.NewIndexBuilder(d, leases, Indexes())
		},
		audit.NewTrail,
		idempotency.NewKeys,
		census.NewService,
		clinics.NewService,
		clinics.NewLifecycle,
		merge.NewService,
		func(s *census.Service) merge.Census { return s },
		func(s *clinics.Service) merge.Counts { return s },
		func(s *patients.Service) merge.TagChanges { return s },
		func(l *clinics.Lifecycle) merge.Remover { return l },
		clinicians.NewService,
		roster.NewService,
		patients.NewService,
		patients.NewSubscriptions,
		func(users *platform.UserService) patients.Accounts { return users },
		func(profiles *platform.ProfileService) patients.Profiles { return profiles },
		func(s *patients.Service) clinics.Patients { return s },
		func(s *clinicians.Service) clinics.Members { return s },
		func(s *patients.Service) clinicians.Orphans { return s },
		migration.NewService,
		func(s *clinics.Service) migration.Clinics { return s },
		func(l *clinics.Lifecycle) migration.LegacyAccounts { return l },
		func(s *clinicians.Service) migration.Members { return s },
		redox.NewService,
		redox.NewBackfill,
		func(s *clinics.Service) redox.Clinics { return s },
		func(s *patients.Subscriptions) redox.Subscriptions { return s },
		func(s *roster.Service) redox.Roster { return s },
		func(m *api.Metrics) redox.OddDocuments { return m },
		func(users *platform.UserService) clinics.Accounts { return users },
		func(profiles *platform.ProfileService) clinics.People { return profiles },
		func(profiles *platform.ProfileService) clinicians.People { return profiles },
		func(openID *platform.OpenID) clinicians.ServiceAccounts { return openID },
		feed.NewService,
		xealth.NewService,
		func(s *clinics.Service) xealth.Clinics { return s },
		func(s *patients.Service) xealth.Patients { return s },
		func(s *patients.Subscriptions) xealth.Subscriptions { return s },
		func(s *roster.Service) xealth.Roster { return s },
		func(users *platform.UserService) xealth.Users { return users },
		func(auth *platform.AuthService) xealth.Tokens { return auth },
		func(partner *platform.Xealth) xealth.OrderSource { return partner },
	)
}

func face() fx.Option {
	return fx.Provide(
		api.LoadDocument,
		api.NewHandlers,
		api.NewCursors,
		api.NewServer,
		auth.NewTokens,
		auth.NewPartners,
		func(users *platform.UserService) auth.TokenChecker { return users },
		func(s *clinicians.Service) api.Memberships { return s },
		func(d *store.Database, log *zap.Logger) *api.Health { return api.NewHealth(d.Ping, log) },
	)
}

func openStore(c config.Store, log *zap.Logger, face *api.Metrics, metrics *observe.Metrics, tracer *traces.Tracer) (*store.Database, error) {
	return store.Open(c, log, store.Monitors{Pool: metrics.PoolMonitor(face.PoolMonitor()), Commands: tracer.Commands(metrics.CommandMonitor())})
}

// Indexes returns the indexes of all collections.
func Indexes() []store.Indexes {
	all := []store.Indexes{store.LeaseIndexes()}
	for _, owned := range [][]store.Indexes{audit.Indexes(), idempotency.Indexes(), census.Indexes(), clinics.Indexes(), merge.Indexes(), patients.Indexes(), roster.Indexes(), clinicians.Indexes(), migration.Indexes(), redox.Indexes(), xealth.Indexes()} {
		all = append(all, owned...)
	}
	return all
}

func startFace(lc fx.Lifecycle, c config.HTTP, server *api.Server, shutdowner fx.Shutdowner, log *zap.Logger) {
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			return server.Listen(ctx, func(err error) {
				log.Error("the server stopped", zap.Error(err))
				_ = shutdowner.Shutdown(fx.ExitCode(1))
			})
		},
		OnStop: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, c.DrainDelay+StopTimeout)
			defer cancel()
			if err := server.Shutdown(ctx); err != nil {
				return fmt.Errorf("requests were cut off: %w", err)
			}
			return nil
		},
	})
}
