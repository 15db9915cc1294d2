package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/redox"
)

const (
	defaultOrders = 100
	defaultSince  = 30 * 24 * time.Hour
	// reportEvery is how many orders are looked at between two reports.
	reportEvery = 1000
)

func (t *tool) listOrders() *cobra.Command {
	var since time.Duration
	var filter redox.OrderFilter
	var limit int
	var all bool
	command := &cobra.Command{
		Use: "list", Short: "List new orders that failed, match nothing or did not act, and why; newest first", Args: cobra.NoArgs,
		Long: "List new orders that failed, match nothing or did not act, and why; newest first.\n\n" +
			"Each order is matched anew, against the clinics and patients of today. Nothing is written.",
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			if limit < 1 || since <= 0 {
				return usage("--limit must be at least 1, and --since more than 0")
			}
			filter.Since = time.Now().Add(-since)
			seen, listed := 0, 0
			for order, err := range t.services.Redox.Orders(ctx, filter) {
				if err != nil {
					return err
				}
				if seen++; seen%reportEvery == 0 {
					t.output.report("%d orders were looked at, back to %s", seen, order.ReceivedTime.UTC().Format(time.RFC3339))
				}
				if !all && !order.Outcome.NeedsHelp() {
					continue
				}
				t.output.print(orderRowOf(order))
				if listed++; listed == limit {
					t.output.report("The list ends at --limit %d; there may be more", limit)
					break
				}
			}
			t.output.print(foundOrders{Found: listed, Seen: seen})
			return nil
		}),
	}
	flags := command.Flags()
	flags.DurationVar(&since, "since", defaultSince, "how far to look back")
	flags.StringVar(&filter.SourceID, "source", "", "only orders of this Redox source id")
	flags.IntVarP(&limit, "limit", "l", defaultOrders, "most orders to list")
	flags.BoolVar(&all, "all", false, "list also orders that acted, or that ask for nothing")
	return command
}

func (t *tool) replayOrder() *cobra.Command {
	return &cobra.Command{
		Use: "replay ORDER_ID", Short: "Have an order that did not act do so, once its cause is mended", Args: cobra.ExactArgs(1),
		Long: "Have an order that did not act do so, once its cause is mended.\n\n" +
			"The message is stored again, as by a new delivery, and the worker acts on it. A message is replayed once.",
		RunE: t.connected(func(ctx context.Context, args []string) error {
			id, err := bson.ObjectIDFromHex(args[0])
			if err != nil {
				return redox.ErrInvalidMessageID
			}
			replay, err := t.services.Redox.Replay(ctx, id)
			if err != nil {
				return err
			}
			t.output.print(replayedOrder{ID: id.Hex(), Replay: replay.Hex()})
			return nil
		}),
	}
}

func (t *tool) showOrder() *cobra.Command {
	return &cobra.Command{
		Use: "show ORDER_ID", Short: "Show what became of one new order, and why", Args: cobra.ExactArgs(1),
		RunE: t.connected(func(ctx context.Context, args []string) error {
			id, err := bson.ObjectIDFromHex(args[0])
			if err != nil {
				return redox.ErrMessageNotFound
			}
			order, err := t.services.Redox.Order(ctx, id)
			if err != nil {
				return err
			}
			t.output.print(orderRowOf(order))
			return nil
		}),
	}
}

type replayedOrder struct {
	ID     string `json:"id"`
	Replay string `json:"replay"`
}

func (r replayedOrder) line() string { return r.ID + " - replayed by " + r.Replay }

type orderRow struct {
	ID            string        `json:"id"`
	ReceivedTime  time.Time     `json:"receivedTime"`
	SourceID      string        `json:"sourceId"`
	ClinicID      string        `json:"clinicId,omitempty"`
	ProcedureCode string        `json:"procedureCode,omitempty"`
	RedeliveryOf  string        `json:"redeliveryOf,omitempty"`
	ReplayOf      string        `json:"replayOf,omitempty"`
	Replay        string        `json:"replay,omitempty"`
	Outcome       redox.Outcome `json:"outcome"`
	Reason        string        `json:"reason,omitempty"`
}

func orderRowOf(o redox.OrderState) orderRow {
	row := orderRow{
		ID: o.ID.Hex(), ReceivedTime: o.ReceivedTime.UTC(), SourceID: o.SourceID, ProcedureCode: o.ProcedureCode,
		Outcome: o.Outcome, Reason: o.Reason,
	}
	for to, id := range map[*string]*bson.ObjectID{
		&row.ClinicID: o.ClinicID, &row.RedeliveryOf: o.RedeliveryOf, &row.ReplayOf: o.ReplayOf, &row.Replay: o.Replay,
	} {
		if id != nil {
			*to = id.Hex()
		}
	}
	return row
}

func (r orderRow) line() string {
	line := fmt.Sprintf("%s %s - Source %s - Clinic %s - Code %s - %s", r.ID, r.ReceivedTime.Format(time.RFC3339),
		orEmpty(&r.SourceID), orEmpty(&r.ClinicID), orEmpty(&r.ProcedureCode), r.Outcome)
	if r.Reason != "" {
		line += ": " + r.Reason
	}
	for _, reference := range []struct{ text, id string }{
		{" - redelivery of ", r.RedeliveryOf}, {" - replay of ", r.ReplayOf}, {" - replayed by ", r.Replay},
	} {
		if reference.id != "" {
			line += reference.text + reference.id
		}
	}
	return line
}

type foundOrders struct {
	Found int `json:"found"`
	Seen  int `json:"seen"`
}

func (f foundOrders) line() string {
	return fmt.Sprintf("Found %d orders, looked at %d", f.Found, f.Seen)
}
