package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/store"
)

func (t *tool) checkIndexes() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Compare the indexes of the database with those that the service wants; makes none", Args: cobra.NoArgs,
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			states, err := t.services.Indexes.Check(ctx)
			if err != nil {
				return err
			}
			problems := 0
			for _, state := range states {
				t.output.print(indexRow{Collection: state.Collection, Name: state.Name, Problem: state.Problem, Severity: string(state.Severity)})
				if state.Problem != "" {
					problems++
				}
			}
			if problems > 0 {
				return partial("%d of %d indexes are not as they should be", problems, len(states))
			}
			t.output.print(found{Found: len(states), Noun: "indexes, all as they should be"})
			return nil
		}),
	}
}

func (t *tool) planIndexes() *cobra.Command {
	return &cobra.Command{
		Use: "plan", Short: "List the missing indexes in the order in which they are built; makes none", Args: cobra.NoArgs,
		RunE: t.connected(func(ctx context.Context, _ []string) error { return t.printPlan(ctx) }),
	}
}

func (t *tool) printPlan(ctx context.Context) error {
	steps, err := t.services.Indexes.Plan(ctx)
	if err != nil {
		return err
	}
	for _, step := range steps {
		t.output.print(stepRowOf(step))
	}
	t.output.print(found{Found: len(steps), Noun: "indexes to build"})
	return nil
}

func (t *tool) buildIndexes() *cobra.Command {
	var dryRun bool
	command := &cobra.Command{
		Use: "build", Short: "Build the missing indexes, one by one, the most useful first", Args: cobra.NoArgs,
		Long: "Build the missing indexes, one by one, the most useful first.\n\n" +
			"Ending the command leaves the one that is being built to the database, which goes on with it. The others are built by the\n" +
			"next call. No two processes build at the same time.",
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			if dryRun {
				return t.printPlan(ctx)
			}
			var begun time.Time
			built, failed := 0, 0
			err := t.services.Indexes.Build(ctx, func(step store.IndexStep) {
				begun = time.Now()
				t.output.report("Building %s of %s, on %d documents", step.Index.Name, step.Collection, step.Documents)
			}, func(step store.IndexStep, err error) {
				row := stepRowOf(step)
				row.Seconds = time.Since(begun).Seconds()
				if err != nil {
					failed++
					row.Error = err.Error()
				} else {
					built++
				}
				t.output.print(row)
			})
			if errors.Is(err, store.ErrIndexesAreBuilt) {
				return refused("%w", err)
			}
			if failed == 0 && err != nil {
				return err
			}
			t.output.print(found{Found: built, Noun: "indexes that were missing and are built"})
			if failed > 0 {
				return partial("%d indexes could not be built", failed)
			}
			return nil
		}),
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only list them, as plan does")
	return command
}

func (t *tool) dropUnusedIndexes() *cobra.Command {
	var dryRun, untold bool
	var unusedFor time.Duration
	command := &cobra.Command{
		Use: "drop-unused", Short: "Drop indexes that this service does not want and nobody uses", Args: cobra.NoArgs,
		Long: "Drop indexes that this service does not want and nobody uses. Do it when no other service, and not the reference service, works\n" +
			"on the database any more. Unique indexes are never dropped: they may be somebody's rule. How often an index was used is what\n" +
			"one server of the database remembers since it started; ask the one that is read from.",
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			unknown, err := t.services.Store.UnknownIndexes(ctx, app.Indexes()...)
			if err != nil {
				return err
			}
			dropped := 0
			for _, index := range unknown {
				row := unusedRow{Collection: index.Collection, Name: index.Name, DryRun: dryRun, Kept: reasonToKeep(index, unusedFor, untold)}
				if row.Kept == "" {
					if !dryRun {
						if err := t.services.Store.DropIndex(ctx, index.Collection, index.Name); err != nil {
							return err
						}
					}
					dropped++
				}
				t.output.print(row)
			}
			t.output.print(found{Found: dropped, Noun: "indexes to drop"})
			return nil
		}),
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only list them, and drop nothing")
	command.Flags().DurationVar(&unusedFor, "unused-for", 7*24*time.Hour, "how long an index must not have been used")
	command.Flags().BoolVar(&untold, "without-statistics", false, "drop also where the database does not tell how often an index was used")
	return command
}

// reasonToKeep returns why an index is not dropped, "" if it is.
func reasonToKeep(index store.UnknownIndex, unusedFor time.Duration, untold bool) string {
	switch {
	case index.Unique:
		return "it is unique"
	case index.Uses == nil && !untold:
		return "the database does not tell how often it is used"
	case index.Uses == nil:
		return ""
	case *index.Uses > 0:
		return fmt.Sprintf("it was used %d times", *index.Uses)
	case time.Since(index.Since) < unusedFor:
		return "its use was watched only since " + index.Since.UTC().Format(time.RFC3339)
	default:
		return ""
	}
}

type indexRow struct {
	Collection string `json:"collection"`
	Name       string `json:"name"`
	Problem    string `json:"problem,omitempty"`
	Severity   string `json:"severity"`
}

func (r indexRow) line() string {
	if r.Problem == "" {
		return fmt.Sprintf("%s %s - ok", r.Collection, r.Name)
	}
	return fmt.Sprintf("%s %s - %s (%s)", r.Collection, r.Name, r.Problem, r.Severity)
}

type stepRow struct {
	Collection string  `json:"collection"`
	Name       string  `json:"name"`
	Unique     bool    `json:"unique"`
	Documents  int64   `json:"documents"`
	NoRoom     bool    `json:"noRoom"`
	Seconds    float64 `json:"seconds,omitempty"` // that building it took
	Error      string  `json:"error,omitempty"`
}

func stepRowOf(step store.IndexStep) stepRow {
	return stepRow{Collection: step.Collection, Name: step.Index.Name, Unique: step.Index.Unique, Documents: step.Documents, NoRoom: step.NoRoom}
}

func (r stepRow) line() string {
	line := fmt.Sprintf("%s %s - on %d documents", r.Collection, r.Name, r.Documents)
	if r.Seconds > 0 {
		line += fmt.Sprintf(" - %.1f s", r.Seconds)
	}
	switch {
	case r.Error != "":
		line += " - failed: " + r.Error
	case r.NoRoom:
		line += " - no room"
	}
	return line
}

type unusedRow struct {
	Collection string `json:"collection"`
	Name       string `json:"name"`
	Kept       string `json:"kept,omitempty"` // why; "" means that it is dropped
	DryRun     bool   `json:"dryRun"`
}

func (r unusedRow) line() string {
	if r.Kept != "" {
		return fmt.Sprintf("%s %s - kept: %s", r.Collection, r.Name, r.Kept)
	}
	return fmt.Sprintf("%s %s - dropped%s", r.Collection, r.Name, map[bool]string{true: " (dry run: nothing is dropped)"}[r.DryRun])
}
