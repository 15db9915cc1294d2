package operator

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

var errNoProgram = refused("cannot enroll patient because program id is not set in ehr settings")

func (t *tool) enrollPatients() *cobra.Command {
	var limit int
	var userID, origin string
	var dryRun bool
	command := &cobra.Command{
		Use: "enroll CLINIC_ID", Short: "Have Xealth order the program for patients without subscription", Args: cobra.ExactArgs(1),
		RunE: t.connectedToAll(func(ctx context.Context, args []string) error {
			clinic, err := t.connectedClinic(ctx, args[0])
			if err != nil {
				return err
			}
			order, err := enrollmentOf(clinic, origin)
			if err != nil {
				return err
			}
			if limit < 1 {
				return errLimit
			}
			yes, no := true, false
			list, total, err := t.services.Roster.ListForEHR(ctx, clinic.ID, roster.EHRFilter{UserID: userID, Subscribed: &no, MRN: &yes}, store.Page{Limit: limit})
			if err != nil {
				return err
			}
			t.output.print(enrollingRow{Patients: len(list), Total: total, DryRun: dryRun})
			refusals := 0
			for _, patient := range list {
				enrolled, err := t.enroll(ctx, order, *patient.MRN, dryRun)
				if err != nil {
					return err
				}
				if !enrolled {
					refusals++
				}
			}
			if refusals > 0 {
				return partial("%d of %d patients were refused", refusals, len(list))
			}
			return nil
		}),
	}
	flags := command.Flags()
	flags.IntVarP(&limit, "limit", "l", defaultLimit, "most patients to enroll")
	flags.StringVar(&userID, "user-id", "", "only this patient")
	flags.StringVar(&origin, "mrn-origin", "cerner", "origin of the MRN, as Xealth names it")
	flags.BoolVar(&dryRun, "dry-run", false, "print what would be done, and send nothing")
	return command
}

func enrollmentOf(clinic *clinics.Clinic, origin string) (platform.Enrollment, error) {
	if err := requireProvider(clinic, clinics.ProviderXealth); err != nil {
		return platform.Enrollment{}, err
	}
	settings := clinic.EHRSettings
	program := settings.ProcedureCodes.CreateAccountAndEnableReports
	if program == nil || *program == "" {
		return platform.Enrollment{}, errNoProgram
	}
	return platform.Enrollment{
		Deployment: settings.SourceID, ProgramID: *program, PatientID: platform.EnrolledPatient{Type: settings.MRNType(), Origin: origin},
	}, nil
}

// enroll has the program ordered for the patient with the MRN, and reports whether Xealth did not refuse. That Xealth refuses one patient does not stop the others.
func (t *tool) enroll(ctx context.Context, order platform.Enrollment, mrn string, dryRun bool) (bool, error) {
	t.output.print(enrollRow{MRN: mrn, DryRun: dryRun})
	if dryRun {
		return true, nil
	}
	order.PatientID.ID = mrn
	enrolled, refusal, err := t.neighbours.Xealth.Enroll(ctx, order)
	if err == nil && !enrolled {
		t.output.print(refusedRow{MRN: mrn, Refusal: refusal})
	}
	return enrolled, err
}

type enrollingRow struct {
	Patients int  `json:"patients"`
	Total    int  `json:"total"`
	DryRun   bool `json:"dryRun"`
}

func (r enrollingRow) line() string {
	return fmt.Sprintf("Enrolling %d patients out of %d total%s", r.Patients, r.Total, ifDry(r.DryRun))
}

type enrollRow struct {
	MRN    string `json:"mrn"`
	DryRun bool   `json:"dryRun"`
}

func (r enrollRow) line() string { return "Enrolling patient with MRN " + r.MRN + ifDry(r.DryRun) }

func ifDry(dryRun bool) string {
	if dryRun {
		return " (dry run: nothing is sent)"
	}
	return ""
}

type refusedRow struct {
	MRN     string `json:"mrn"`
	Refusal string `json:"refusal"`
}

func (r refusedRow) line() string { return "Unable to enroll patient: " + r.Refusal }
