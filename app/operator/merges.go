package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/merge"
)

func (t *tool) listMerges() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List merges that are not complete, oldest first; merges resume finishes one", Args: cobra.NoArgs,
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			count := 0
			for open, err := range t.services.Merges.Unfinished(ctx) {
				if err != nil {
					return err
				}
				t.output.print(mergeRowOf(open))
				count++
			}
			t.output.print(found{Found: count, Noun: "open merges"})
			return nil
		}),
	}
}

func (t *tool) resumeMerge() *cobra.Command {
	var dryRun bool
	command := &cobra.Command{
		Use: "resume MERGE_ID", Short: "Go on with a merge where it stopped, as sending it again would", Args: cobra.ExactArgs(1),
		Long: "Go on with a merge where it stopped, as sending it again would.\n\n" +
			"A merge that a process works on is refused. One that has not changed anything yet is planned anew, and given up if there\n" +
			"are obstacles by now. Ending the command leaves the rest for the next call.",
		RunE: t.connected(func(ctx context.Context, args []string) error {
			open, err := t.unfinished(ctx, args[0])
			if err != nil {
				return err
			}
			t.output.print(mergeRowOf(open))
			if dryRun {
				return nil
			}
			if err := t.services.Merges.Merge(ctx, open.SourceID, open.TargetID); err != nil {
				return err
			}
			t.output.print(mergeEnd{ID: open.ID.Hex(), Complete: true})
			return nil
		}),
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only show the merge, and change nothing")
	return command
}

var errNoMerge = errs.NotFoundf("there is no open merge with this id")

// unfinished returns the open merge with the id.
func (t *tool) unfinished(ctx context.Context, hex string) (merge.Unfinished, error) {
	for open, err := range t.services.Merges.Unfinished(ctx) {
		if err != nil || open.ID.Hex() == hex {
			return open, err
		}
	}
	return merge.Unfinished{}, errNoMerge
}

type mergeRow struct {
	ID        string    `json:"id"`
	Begun     time.Time `json:"begun"`
	SourceID  string    `json:"sourceId"`
	TargetID  string    `json:"targetId"`
	State     string    `json:"state"`
	StepsLeft int64     `json:"stepsLeft"`
	HeldUntil time.Time `json:"heldUntil"` // by the process that works on it, by the clock of the database
}

func mergeRowOf(open merge.Unfinished) mergeRow {
	return mergeRow{
		ID: open.ID.Hex(), Begun: open.ID.Timestamp().UTC(), SourceID: open.SourceID.Hex(), TargetID: open.TargetID.Hex(),
		State: open.State, StepsLeft: open.StepsLeft, HeldUntil: open.HeldUntil.UTC(),
	}
}

func (r mergeRow) line() string {
	return fmt.Sprintf("%s begun %s - from %s into %s - %s, %d steps left - held until %s",
		r.ID, r.Begun.Format(time.RFC3339), r.SourceID, r.TargetID, r.State, r.StepsLeft, r.HeldUntil.Format(time.RFC3339))
}

type mergeEnd struct {
	ID       string `json:"id"`
	Complete bool   `json:"complete"`
}

func (e mergeEnd) line() string { return e.ID + " is complete" }
