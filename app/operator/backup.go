package operator

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// kept says what is lost with which collections. docs/backup.md shows the same.
var kept = []struct {
	collections []string
	without     string
}{
	{[]string{"clinics", "clinicians", "patients", "migrations"}, "nothing is left"},
	{[]string{"patient_deletions", "clinician_deletions", "clinic_deletions", "merge_plans"}, "nobody can tell what was removed or merged"},
	{[]string{"redox", "scheduledSummaryAndReportsOrders", "xealth_preorder", "xealth_order", "xealth_report_view"}, "orders and who looked at reports are lost"},
	{[]string{"open_merges", "open_merge_steps"}, "merges that were under way cannot go on"},
	{[]string{"tag_changes"}, "a tag that many patients were getting, or losing, stays with some of them"},
	{[]string{"census_changes"}, "counts are off until they are refreshed"},
	{[]string{"patient_census"}, "numbers by tag and site are counted anew, by the first request for each clinic"},
	{[]string{"patient_creations"}, "a repeat of a creation that was cut off may not find what the first one made"},
	{[]string{"audit", "audit_attempts"}, "nobody can tell who did what"},
	{[]string{"idempotency_keys"}, "a repeat of a request with a key may make its thing once more"},
	{[]string{"leases"}, "nothing: what is in it lasts a minute"},
}

func (t *tool) noteBackup() *cobra.Command {
	return &cobra.Command{
		Use: "notes", Short: "List the collections with the number of their documents, and what is lost without each", Args: cobra.NoArgs,
		Long: "List the collections with the number of their documents, and what is lost without each.\n\n" +
			"Compare the lists of a database and of its restored backup. Numbers are what the database remembers, not counted.",
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			there, err := t.services.Store.ListCollectionNames(ctx, bson.D{})
			if err != nil {
				return err
			}
			listed := 0
			for _, group := range kept {
				for _, name := range group.collections {
					if err := t.noteCollection(ctx, name, group.without); err != nil {
						return err
					}
					there = slices.DeleteFunc(there, func(other string) bool { return other == name })
					listed++
				}
			}
			slices.Sort(there)
			for _, name := range there {
				if err := t.noteCollection(ctx, name, "unknown: it is not of this service"); err != nil {
					return err
				}
				listed++
			}
			t.output.print(found{Found: listed, Noun: "collections"})
			return nil
		}),
	}
}

func (t *tool) noteCollection(ctx context.Context, name, without string) error {
	// Counted, not estimated: the number is compared with that of the restored database.
	documents, err := t.services.Store.Collection(name).CountDocuments(ctx, bson.D{})
	if err != nil {
		return err
	}
	t.output.print(collectionRow{Collection: name, Documents: documents, Without: without})
	return nil
}

type collectionRow struct {
	Collection string `json:"collection"`
	Documents  int64  `json:"documents"`
	Without    string `json:"without"`
}

func (r collectionRow) line() string {
	return fmt.Sprintf("%s - %d documents - without it: %s", r.Collection, r.Documents, r.Without)
}
