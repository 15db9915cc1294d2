package operator

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/fx"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// tool is what all commands share.
type tool struct {
	load     func() (config.Config, error)
	logLevel string
	format   string
	output   output
	services services
}

// services are what the commands work with.
type services struct {
	fx.In

	Store    *store.Database
	Clinics  *clinics.Repository
	Patients *patients.Repository
	Roster   *roster.Service
	Redox    *redox.Service
	Backfill *redox.Backfill
	Users    *platform.UserService
	Xealth   *platform.Xealth
}

func (t *tool) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ehr",
		Short: "Look at and mend the integrations of clinics with health records",
		Long: "Look at and mend the integrations of clinics with health records.\n\n" +
			"The settings are those of the service, from the environment. Results may hold data of patients.",
		SilenceErrors: true, SilenceUsage: true, // see run
		PersistentPreRunE: func(*cobra.Command, []string) error { return t.chooseFormat() },
	}
	root.PersistentFlags().StringVarP(&t.logLevel, "log-level", "v", "error", "least level that is logged; goes before LOG_LEVEL")
	root.PersistentFlags().StringVar(&t.format, "output", "text", "form of the results: text, or json for one object per line")
	root.AddCommand(
		group("clinics", "Clinics that are connected to a health record", t.listClinics(), t.showClinic()),
		group("patients", "Patients of a connected clinic", t.listPatients(), t.enrollPatients(), t.backfillEmails()),
		group("orders", "Orders that were received from Redox", t.listOrders()),
		group("indexes", "Indexes of the database", t.checkIndexes()),
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
		return fmt.Errorf("--output must be text or json")
	}
	return nil
}

// connected returns the work of a command that needs the services.
func (t *tool) connected(work func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		c, err := t.load()
		if err != nil {
			return fmt.Errorf("bad configuration: %w", err)
		}
		c.Log.Level = t.logLevel
		level, err := c.LogLevel()
		if err != nil {
			return err
		}
		tool := fx.New(app.Tools(c, t.output.logger(level)), fx.Invoke(func(s services) { t.services = s }))
		start, cancel := context.WithTimeout(command.Context(), app.StartTimeout)
		defer cancel()
		if err := tool.Start(start); err != nil {
			return err
		}
		workErr := work(command.Context(), args)
		// The time begins only now: the work takes as long as it takes.
		stop, cancel := context.WithTimeout(context.WithoutCancel(command.Context()), app.StopTimeout)
		defer cancel()
		return errors.Join(workErr, tool.Stop(stop))
	}
}

var errNoIntegration = errors.New("the clinic does not have an active EHR integration")

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
		return fmt.Errorf("provider %s is not supported", clinic.EHRSettings.Provider)
	}
	return nil
}
