package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

// The collections of package merge, which tells nobody of open merges but those who ask for the merge again.
const (
	openMerges = "open_merges"
	mergeSteps = "open_merge_steps"
)

func (t *tool) listMerges() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List merges that are not complete, oldest first; send the same merge again to finish one", Args: cobra.NoArgs,
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			cursor, err := t.services.Store.Collection(openMerges).Find(ctx, bson.D{}, options.Find().SetSort(store.Ascending("_id")))
			count := 0
			for merge, err := range store.Documents[openMerge](ctx, cursor, err) {
				if err != nil {
					return err
				}
				left, err := t.services.Store.Collection(mergeSteps).CountDocuments(ctx, bson.D{{Key: "mergeId", Value: merge.ID}})
				if err != nil {
					return err
				}
				t.output.print(mergeRow{
					ID: merge.ID.Hex(), Begun: merge.ID.Timestamp().UTC(), SourceID: merge.SourceID.Hex(), TargetID: merge.TargetID.Hex(),
					State: merge.State, StepsLeft: left, HeldUntil: merge.HeldUntil.UTC(),
				})
				count++
			}
			t.output.print(found{Found: count, Noun: "open merges"})
			return nil
		}),
	}
}

type openMerge struct {
	ID        bson.ObjectID `bson:"_id"`
	SourceID  bson.ObjectID `bson:"sourceId"`
	TargetID  bson.ObjectID `bson:"targetId"`
	State     string        `bson:"state"`
	HeldUntil time.Time     `bson:"heldUntil"`
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

func (r mergeRow) line() string {
	return fmt.Sprintf("%s begun %s - from %s into %s - %s, %d steps left - held until %s",
		r.ID, r.Begun.Format(time.RFC3339), r.SourceID, r.TargetID, r.State, r.StepsLeft, r.HeldUntil.Format(time.RFC3339))
}
