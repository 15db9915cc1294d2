package operator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// defaultLimit is how many patients a command takes if it is not told.
const defaultLimit = 20

var errLimit = usage("--limit must be at least 1, and --offset not negative")

func (t *tool) listPatients() *cobra.Command {
	var page store.Page
	var filter roster.EHRFilter
	var withSubscription, withoutSubscription, withMRN, withoutMRN bool
	command := &cobra.Command{
		Use: "list CLINIC_ID", Short: "List patients with their subscriptions, by MRN", Args: cobra.ExactArgs(1),
		RunE: t.connected(func(ctx context.Context, args []string) error {
			clinic, err := t.connectedClinic(ctx, args[0])
			if err != nil {
				return err
			}
			if page.Limit < 1 || page.Offset < 0 {
				return errLimit
			}
			filter.Subscribed, filter.MRN = choice(withSubscription, withoutSubscription), choice(withMRN, withoutMRN)
			list, total, err := t.services.Roster.ListForEHR(ctx, clinic.ID, filter, page)
			if err != nil {
				return err
			}
			for _, patient := range list {
				t.output.print(patientRowOf(patient))
			}
			t.output.print(found{Found: total, Noun: "patients"})
			return nil
		}),
	}
	flags := command.Flags()
	flags.IntVarP(&page.Limit, "limit", "l", defaultLimit, "most patients to list")
	flags.IntVarP(&page.Offset, "offset", "o", 0, "patients to leave out at the beginning")
	flags.StringVar(&filter.UserID, "user-id", "", "only this patient")
	flags.BoolVar(&withSubscription, "with-subscription", false, "only patients with a subscription, active or not")
	flags.BoolVar(&withoutSubscription, "without-subscription", false, "only patients without any subscription")
	flags.BoolVar(&withMRN, "with-mrn", false, "only patients with an MRN")
	flags.BoolVar(&withoutMRN, "without-mrn", false, "only patients without an MRN")
	command.MarkFlagsMutuallyExclusive("with-subscription", "without-subscription")
	command.MarkFlagsMutuallyExclusive("with-mrn", "without-mrn")
	return command
}

// choice returns nil if neither is wanted.
func choice(with, without bool) *bool {
	if with == without {
		return nil
	}
	return &with
}

type patientRow struct {
	MRN           string            `json:"mrn"`
	FullName      string            `json:"fullName"`
	UserID        string            `json:"userId"`
	Subscriptions []subscriptionRow `json:"subscriptions"`
}

type subscriptionRow struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Active   bool   `json:"active"`
}

func patientRowOf(p *patients.Patient) patientRow {
	row := patientRow{UserID: p.UserID, Subscriptions: []subscriptionRow{}}
	if p.MRN != nil {
		row.MRN = *p.MRN
	}
	if p.FullName != nil {
		row.FullName = *p.FullName
	}
	for _, name := range slices.Sorted(maps.Keys(p.EHRSubscriptions)) {
		subscription := p.EHRSubscriptions[name]
		row.Subscriptions = append(row.Subscriptions, subscriptionRow{Name: name, Provider: subscription.Provider, Active: subscription.Active})
	}
	return row
}

// who names the patient at the beginning of a line.
func (r patientRow) who() string {
	return fmt.Sprintf("MRN %s - %s [%s]", orEmpty(&r.MRN), orEmpty(&r.FullName), r.UserID)
}

func (r patientRow) line() string {
	states := map[bool]string{true: "active", false: "inactive"}
	subscriptions := make([]string, 0, len(r.Subscriptions))
	for _, s := range r.Subscriptions {
		subscriptions = append(subscriptions, fmt.Sprintf("%s (%s)", orEmpty(&s.Provider), states[s.Active]))
	}
	all := strings.Join(subscriptions, ", ")
	return fmt.Sprintf("%s - Subscriptions [%s]", r.who(), orEmpty(&all))
}

func (t *tool) backfillEmails() *cobra.Command {
	var options redox.BackfillOptions
	command := &cobra.Command{
		Use: "backfill-emails CLINIC_ID", Short: "Give custodial patients without an address the one in their order", Args: cobra.ExactArgs(1),
		RunE: t.connectedToAll(func(ctx context.Context, args []string) error {
			clinic, err := t.connectedClinic(ctx, args[0])
			if err != nil {
				return err
			}
			if err := requireProvider(clinic, clinics.ProviderRedox); err != nil {
				return err
			}
			if options.BatchSize < 1 {
				return usage("--batch-size must be at least 1")
			}
			if !options.DryRun { // an update also changes the account of the patient
				if err := t.neighbours.Users.Start(ctx); err != nil {
					return err
				}
				defer t.neighbours.Users.Stop()
			}
			options.Found = func(patient *patients.Patient, email string) {
				t.output.print(emailRow{patientRow: patientRowOf(patient), Email: email, DryRun: options.DryRun})
			}
			options.Seen = func(count int) { t.output.report("%d patients were looked at", count) }
			updated, err := t.neighbours.Backfill.Run(ctx, clinic.ID, options)
			t.output.print(updatedRow{Updated: updated, DryRun: options.DryRun})
			return err
		}),
	}
	command.Flags().BoolVar(&options.DryRun, "dry-run", false, "print what would be done, and change nothing")
	command.Flags().IntVar(&options.BatchSize, "batch-size", 100, "patients to read at once")
	return command
}

type emailRow struct {
	patientRow
	Email  string `json:"email"`
	DryRun bool   `json:"dryRun"`
}

func (r emailRow) line() string { return fmt.Sprintf("%s - New Email [%s]", r.who(), r.Email) }

type updatedRow struct {
	Updated int  `json:"updated"`
	DryRun  bool `json:"dryRun"`
}

func (r updatedRow) line() string {
	if r.DryRun {
		return fmt.Sprintf("%d patients would be updated", r.Updated)
	}
	return fmt.Sprintf("%d patients were updated", r.Updated)
}
