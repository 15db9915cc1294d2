package operator

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/fx"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/xealth"
)

// tool is what all commands share.
type tool struct {
	load       loader
	logLevel   string
	format     string
	output     output
	working    bool // the command line was understood
	services   services
	neighbours neighbours
}

// services are what the commands work with. They need only a database.
type services struct {
	fx.In

	Store   *store.Database
	Indexes *store.IndexBuilder
	Clinics *clinics.Service
	Census  *census.Service
	Trail   *audit.Trail
	Roster  *roster.Service
	Redox   *redox.Service
	Merges  *merge.Service
}

// neighbours are what some commands need besides.
type neighbours struct {
	fx.In

	Backfill *redox.Backfill
	Users    *platform.UserService
	Xealth   *platform.Xealth
	// XealthOrders lists and replays what Xealth sent.
	XealthOrders *xealth.Service
}

func (t *tool) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ehr",
		Short: "Look at and mend what the service stores",
		Long: "Look at and mend what the service stores: integrations with health records, counts, merges, indexes and documents.\n\n" +
			"The settings are those of the service, from the environment; most commands need only those of the database. Which database\n" +
			"is spoken to is the first line on standard error. Results may hold data of patients.\n\n" + statuses,
		SilenceErrors: true, SilenceUsage: true, // see run
		PersistentPreRunE: func(*cobra.Command, []string) error { return t.chooseFormat() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentFlags().StringVarP(&t.logLevel, "log-level", "v", "error", "least level that is logged; goes before LOG_LEVEL")
	root.PersistentFlags().StringVar(&t.format, "output", "text", "form of the results: text, or json for one object per line")
	root.AddCommand(
		group("clinics", "Clinics, and what connects them to a health record", t.listClinics(), t.showClinic()),
		group("patients", "Patients of a connected clinic", t.listPatients(), t.enrollPatients(), t.backfillEmails()),
		group("orders", "Orders that were received from Redox", t.listOrders(), t.showOrder(), t.replayOrder()),
		group("xealth", "Orders that were received from Xealth", t.listXealthOrders(), t.replayXealthOrder()),
		group("census", "Numbers of patients", t.checkCensus(), t.recountCensus()),
		group("merges", "Merges of clinics that are not complete", t.listMerges(), t.resumeMerge()),
		group("indexes", "Indexes of the database", t.checkIndexes(), t.planIndexes(), t.buildIndexes(), t.dropUnusedIndexes()),
		group("documents", "Stored documents", t.checkDocuments()),
		group("audit", "The trail of who did what", t.listAudit()),
		group("backup", "What a backup has to hold", t.noteBackup()),
		group("config", "Settings", t.checkConfig()),
	)
	return root
}

func group(name, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short}
	c.AddCommand(commands...)
	return c
}

func (t *tool) chooseFormat() error {
	switch t.format {
	case "text":
	case "json":
		t.output.json = true
	default:
		return usage("--output must be text or json")
	}
	return nil
}

type work func(ctx context.Context, args []string) error

// connected returns the work of a command that needs nothing but the database.
func (t *tool) connected(work work) func(*cobra.Command, []string) error {
	return t.running(false, work, fx.Invoke(func(s services) { t.services = s }))
}

// connectedToAll returns the work of a command that needs the neighbours of the service, too, and so all settings.
func (t *tool) connectedToAll(work work) func(*cobra.Command, []string) error {
	return t.running(true, work, fx.Invoke(func(s services, n neighbours) { t.services, t.neighbours = s, n }))
}

func (t *tool) running(all bool, work work, needs fx.Option) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		c, err := t.load(all)
		if err != nil {
			return usage("bad configuration: %w", err)
		}
		c.Log.Level = t.logLevel
		level, err := c.LogLevel()
		if err != nil {
			return usage("%w", err)
		}
		t.working = true
		t.output.report("Database: %s", store.Address(c.Store))
		tool := fx.New(app.Tools(c, t.output.logger(level)), needs)
		if err := tool.Err(); err != nil {
			return err
		}
		start, cancel := context.WithTimeout(command.Context(), app.StartTimeout)
		defer cancel()
		if err := tool.Start(start); err != nil {
			return classed{err, statusDatabase}
		}
		workErr := work(command.Context(), args)
		// The time begins only now: the work takes as long as it takes.
		stop, cancel := context.WithTimeout(context.WithoutCancel(command.Context()), app.StopTimeout)
		defer cancel()
		return errors.Join(workErr, tool.Stop(stop))
	}
}

var errNoIntegration = refused("the clinic does not have an active EHR integration")

// connectedClinic returns the clinic with the id, if its integration is enabled.
func (t *tool) connectedClinic(ctx context.Context, hex string) (*clinics.Clinic, error) {
	clinic, err := t.clinic(ctx, hex)
	if errors.Is(err, clinics.ErrNotFound) || err == nil && (clinic.EHRSettings == nil || !clinic.EHRSettings.Enabled) {
		return nil, errNoIntegration
	}
	return clinic, err
}

// clinic returns the clinic with the id, or clinics.ErrNotFound, also if the id is none.
func (t *tool) clinic(ctx context.Context, hex string) (*clinics.Clinic, error) {
	id, err := bson.ObjectIDFromHex(hex)
	if err != nil {
		return nil, clinics.ErrNotFound
	}
	return t.services.Clinics.Get(ctx, id)
}

func requireProvider(clinic *clinics.Clinic, provider string) error {
	if clinic.EHRSettings.Provider != provider {
		return refused("provider %s is not supported", clinic.EHRSettings.Provider)
	}
	return nil
}
