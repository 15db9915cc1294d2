package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/xealth"
)

func (t *tool) listXealthOrders() *cobra.Command {
	var since time.Duration
	var limit int
	var all bool
	var filter xealth.OrderFilter
	command := &cobra.Command{
		Use: "list", Short: "List events of orders that failed, match nothing or stopped half-way, and why; newest first", Args: cobra.NoArgs,
		Long: "List events of orders that failed, match nothing or stopped half-way, and why; newest first.\n\n" +
			"Each event is matched anew, against the clinics and patients of today. Nothing is written.",
		RunE: t.connectedToAll(func(ctx context.Context, _ []string) error {
			if limit < 1 || since <= 0 {
				return usage("--limit must be at least 1, and --since more than 0")
			}
			filter.Since, filter.Unfinished = time.Now().Add(-since), !all
			filter.Wanted = func(o xealth.OrderState) bool { return all || o.Outcome.NeedsHelp() }
			return t.printXealthOrders(ctx, filter, limit)
		}),
	}
	flags := command.Flags()
	flags.DurationVar(&since, "since", defaultSince, "how far to look back")
	flags.StringVar(&filter.Deployment, "deployment", "", "only events of this deployment")
	flags.IntVarP(&limit, "limit", "l", defaultOrders, "most events to list")
	flags.BoolVar(&all, "all", false, "list also events that were applied, or ask for nothing")
	return command
}

func (t *tool) printXealthOrders(ctx context.Context, filter xealth.OrderFilter, limit int) error {
	found := 0
	for {
		events, next, err := t.neighbours.XealthOrders.Orders(ctx, filter, limit-found)
		if err != nil {
			return err
		}
		for _, event := range events {
			t.output.print(xealthOrderRowOf(event))
		}
		found += len(events)
		if next == nil || found == limit {
			if next != nil {
				t.output.report("The list ends at --limit %d; there may be more", limit)
			}
			t.output.print(foundEvents{Found: found})
			return nil
		}
		filter.Before = next
	}
}

func (t *tool) replayXealthOrder() *cobra.Command {
	return &cobra.Command{
		Use: "replay EVENT_ID", Short: "Have an event that stopped half-way go on, once its cause is mended", Args: cobra.ExactArgs(1),
		Long: "Have an event that stopped half-way go on, once its cause is mended.\n\n" +
			"The order is read from Xealth anew, and applied where it ended. Nothing happens twice.",
		RunE: t.connectedToAll(func(ctx context.Context, args []string) error {
			id, err := bson.ObjectIDFromHex(args[0])
			if err != nil {
				return xealth.ErrOrderNotFound
			}
			if err := t.neighbours.XealthOrders.Replay(ctx, id); err != nil {
				return err
			}
			t.output.print(replayedEvent{ID: id.Hex()})
			return nil
		}),
	}
}

type replayedEvent struct {
	ID string `json:"id"`
}

func (r replayedEvent) line() string { return r.ID + " - replayed" }

type xealthOrderRow struct {
	ID           string         `json:"id"`
	ReceivedTime time.Time      `json:"receivedTime"`
	Deployment   string         `json:"deployment"`
	OrderID      string         `json:"xealthOrderId"`
	Event        string         `json:"event"`
	ClinicID     string         `json:"clinicId,omitempty"`
	Outcome      xealth.Outcome `json:"outcome"`
	Reason       string         `json:"reason,omitempty"`
	Message      string         `json:"message,omitempty"`
}

func xealthOrderRowOf(o xealth.OrderState) xealthOrderRow {
	row := xealthOrderRow{
		ID: o.ID.Hex(), ReceivedTime: o.ReceivedTime.UTC(), Deployment: o.Notification.Deployment, OrderID: o.Notification.OrderID,
		Event: o.Notification.EventContext, Outcome: o.Outcome, Reason: o.Reason, Message: o.Text,
	}
	if o.ClinicID != nil {
		row.ClinicID = o.ClinicID.Hex()
	}
	return row
}

func (r xealthOrderRow) line() string {
	line := fmt.Sprintf("%s %s - Deployment %s - Order %s - Clinic %s - %s %s", r.ID, r.ReceivedTime.Format(time.RFC3339),
		orEmpty(&r.Deployment), orEmpty(&r.OrderID), orEmpty(&r.ClinicID), r.Event, r.Outcome)
	if r.Message != "" {
		line += ": " + r.Message
	}
	return line
}

type foundEvents struct {
	Found int `json:"found"`
}

func (f foundEvents) line() string { return fmt.Sprintf("Found %d events", f.Found) }
