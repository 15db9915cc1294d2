package operator

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/roster"
)

// censusProgress is how many clinics are looked at between two reports.
const censusProgress = 50

func (t *tool) checkCensus() *cobra.Command {
	return t.censusCommand("check", "Compare stored numbers of patients with a count; changes nothing",
		func(ctx context.Context, clinic *clinics.Clinic) (censusRow, error) {
			return t.compareCensus(ctx, clinic)
		})
}

func (t *tool) recountCensus() *cobra.Command {
	var dryRun bool
	command := t.censusCommand("recount", "Count the patients one by one, and mend the stored numbers",
		func(ctx context.Context, clinic *clinics.Clinic) (censusRow, error) {
			if dryRun {
				return t.compareCensus(ctx, clinic)
			}
			row := censusRow{ClinicID: clinic.ID.Hex(), Recounted: true}
			drift, err := t.services.Census.Recount(ctx, clinic.ID)
			row.Drift, row.Right = drift.Total, drift.IsZero()
			return row, err
		})
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only compare, as check does")
	return command
}

// compareCensus compares the number of all patients.
func (t *tool) compareCensus(ctx context.Context, clinic *clinics.Clinic) (censusRow, error) {
	row := censusRow{ClinicID: clinic.ID.Hex()}
	counted, err := t.services.Roster.CountForEHR(ctx, clinic.ID, roster.EHRFilter{})
	if clinic.PatientCount != nil {
		row.Drift = counted - clinic.PatientCount.Total
	} else {
		row.Drift = counted
	}
	row.Right = row.Drift == 0
	return row, err
}

func (t *tool) censusCommand(name, short string, look func(context.Context, *clinics.Clinic) (censusRow, error)) *cobra.Command {
	var all bool
	command := &cobra.Command{
		Use: name + " [CLINIC_ID]", Short: short, Args: cobra.MaximumNArgs(1),
		RunE: t.connected(func(ctx context.Context, args []string) error {
			if all == (len(args) == 1) {
				return usage("name one clinic, or --all")
			}
			return t.lookAtCensus(ctx, t.chosenClinics(ctx, args), look)
		}),
	}
	command.Flags().BoolVar(&all, "all", false, "all clinics; only those whose numbers are wrong are listed")
	return command
}

// chosenClinics returns the clinic that is named, or all if none is.
func (t *tool) chosenClinics(ctx context.Context, args []string) iter.Seq2[*clinics.Clinic, error] {
	if len(args) == 0 {
		return t.allClinics(ctx, false)
	}
	return func(yield func(*clinics.Clinic, error) bool) { yield(t.clinic(ctx, args[0])) }
}

// lookAtCensus goes on when a clinic cannot be counted.
func (t *tool) lookAtCensus(ctx context.Context, list iter.Seq2[*clinics.Clinic, error], look func(context.Context, *clinics.Clinic) (censusRow, error)) error {
	total := censusTotal{}
	var failed []error
	for clinic, err := range list {
		if err != nil {
			return err
		}
		row, err := look(ctx, clinic)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case err != nil:
			row.Error = err.Error()
			failed = append(failed, err)
		case !row.Right:
			total.Wrong++
		}
		if row.Error != "" || !row.Right {
			t.output.print(row)
		}
		if total.Clinics++; total.Clinics%censusProgress == 0 {
			t.output.report("%d clinics were looked at", total.Clinics)
		}
		total.Recounted = row.Recounted
	}
	total.Failed = len(failed)
	t.output.print(total)
	switch {
	case len(failed) > 0 && total.Clinics == 1:
		return errors.Join(failed...)
	case len(failed) > 0:
		return partial("%d of %d clinics could not be counted; repeat the command", len(failed), total.Clinics)
	case total.Wrong > 0 && !total.Recounted:
		return partial("the numbers of %d of %d clinics are wrong; census recount mends them", total.Wrong, total.Clinics)
	}
	return nil
}

type censusRow struct {
	ClinicID  string `json:"clinicId"`
	Drift     int    `json:"drift"` // what was counted, less what was stored
	Right     bool   `json:"right"`
	Recounted bool   `json:"recounted"`
	Error     string `json:"error,omitempty"`
}

func (r censusRow) line() string {
	switch {
	case r.Error != "":
		return r.ClinicID + " could not be counted: " + r.Error
	case r.Recounted:
		return fmt.Sprintf("%s was off by %d, and is mended", r.ClinicID, r.Drift)
	default:
		return fmt.Sprintf("%s is off by %d", r.ClinicID, r.Drift)
	}
}

type censusTotal struct {
	Clinics   int  `json:"clinics"`
	Wrong     int  `json:"wrong"`
	Failed    int  `json:"failed"`
	Recounted bool `json:"recounted"`
}

func (c censusTotal) line() string {
	return fmt.Sprintf("Looked at %d clinics, %d had wrong numbers, %d could not be counted", c.Clinics, c.Wrong, c.Failed)
}
