package operator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/audit"
)

const defaultEntries = 1000

func (t *tool) listAudit() *cobra.Command {
	var since time.Duration
	var filter audit.Filter
	var clinic string
	var limit int
	command := &cobra.Command{
		Use: "list", Short: "List who did what, newest first", Args: cobra.NoArgs,
		Long: "List who did what, in a clinic or about a patient, newest first. TIDEPOOL_CLINIC_AUDIT_RETENTION says whether anything is recorded.",
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			if limit < 1 || since <= 0 {
				return usage("--limit must be at least 1, and --since more than 0")
			}
			if clinic == "" && filter.PatientID == "" {
				return usage("--clinic or --patient must say what to look for")
			}
			if clinic != "" {
				id, err := bson.ObjectIDFromHex(clinic)
				if err != nil {
					return usage("--clinic must be the id of a clinic: 24 hexadecimal digits")
				}
				filter.ClinicID = &id
			}
			filter.Since = time.Now().Add(-since)
			page, more, err := t.services.Trail.Page(ctx, filter, limit)
			for _, entry := range page {
				t.output.print(auditRowOf(entry))
			}
			if more {
				t.output.report("The list ends at --limit %d; there is more", limit)
			}
			return err
		}),
	}
	flags := command.Flags()
	flags.StringVar(&clinic, "clinic", "", "only entries of this clinic id")
	flags.StringVar(&filter.PatientID, "patient", "", "only entries about this patient")
	flags.StringVar(&filter.UserID, "user", "", "only what this user did")
	flags.StringVar(&filter.Operation, "operation", "", "only this operation, by its id in the interface document")
	flags.DurationVar(&since, "since", defaultSince, "how far to look back")
	flags.IntVarP(&limit, "limit", "l", defaultEntries, "most entries to list")
	return command
}

type auditRow struct {
	ID        string        `json:"id"`
	Time      time.Time     `json:"time"`
	Operation string        `json:"operation"`
	UserID    string        `json:"userId,omitempty"`
	Service   string        `json:"service,omitempty"`
	ClinicID  string        `json:"clinicId,omitempty"`
	PatientID string        `json:"patientId,omitempty"`
	MemberID  string        `json:"memberId,omitempty"`
	Outcome   audit.Outcome `json:"outcome"`
	Status    int           `json:"status,omitempty"`
	RequestID string        `json:"requestId"`
	Fields    []string      `json:"fields,omitempty"`
}

func auditRowOf(e audit.Entry) auditRow {
	row := auditRow{
		ID: e.ID.Hex(), Time: e.Time.UTC(), Operation: e.Operation, UserID: e.UserID, Service: e.Service, PatientID: e.PatientID,
		MemberID: e.MemberID, Outcome: e.Outcome, Status: e.Status, RequestID: e.RequestID, Fields: e.Fields,
	}
	if e.ClinicID != nil {
		row.ClinicID = e.ClinicID.Hex()
	}
	return row
}

func (r auditRow) line() string {
	who := r.UserID + r.Service
	if who == "" {
		who = "a partner"
	}
	return fmt.Sprintf("%s %s - %s by %s - Clinic %s - Patient %s - %s %s", r.ID, r.Time.Format(time.RFC3339), r.Operation, who,
		orEmpty(&r.ClinicID), orEmpty(&r.PatientID), r.Outcome, strings.Join(r.Fields, ","))
}
