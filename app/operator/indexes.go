package operator

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidepool-org/clinic/app"
)

func (t *tool) checkIndexes() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Compare the indexes of the database with those that the service wants; makes none", Args: cobra.NoArgs,
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			states, err := t.services.Store.CheckIndexes(ctx, app.Indexes()...)
			if err != nil {
				return err
			}
			problems := 0
			for _, state := range states {
				t.output.print(indexRow{Collection: state.Collection, Name: state.Name, Problem: state.Problem})
				if state.Problem != "" {
					problems++
				}
			}
			if problems > 0 {
				return fmt.Errorf("%d of %d indexes are not as they should be", problems, len(states))
			}
			t.output.print(found{Found: len(states), Noun: "indexes, all as they should be"})
			return nil
		}),
	}
}

type indexRow struct {
	Collection string `json:"collection"`
	Name       string `json:"name"`
	Problem    string `json:"problem,omitempty"`
}

func (r indexRow) line() string {
	state := r.Problem
	if state == "" {
		state = "ok"
	}
	return fmt.Sprintf("%s %s - %s", r.Collection, r.Name, state)
}
