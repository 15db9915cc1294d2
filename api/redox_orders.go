package api

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/redox"
)

const (
	// ordersPeriod is how far a list of orders looks back if it is not told.
	ordersPeriod = 30 * 24 * time.Hour
	ordersLimit  = 50
)

// ListRedoxOrders lists orders with what became of them.
func (h *Handlers) ListRedoxOrders(ctx context.Context, request gen.ListRedoxOrdersRequestObject) (gen.ListRedoxOrdersResponseObject, error) {
	p := request.Params
	filter := redox.OrderFilter{Since: valueOr(p.Since, time.Now().Add(-ordersPeriod)), SourceID: valueOf(p.SourceId), Before: p.Before}
	wanted := redox.Outcome.NeedsHelp
	if outcome := p.Outcome; outcome != nil {
		wanted = func(o redox.Outcome) bool { return o == redox.Outcome(*outcome) }
	}
	page, err := h.services.Redox.OrderPage(ctx, filter, wanted, valueOr(p.Limit, ordersLimit))
	if err != nil {
		return nil, err
	}
	answer := gen.ListRedoxOrders200JSONResponse{Orders: make([]gen.RedoxOrderV1, 0, len(page.Orders)), Next: hexOf(page.Next)}
	for _, state := range page.Orders {
		answer.Orders = append(answer.Orders, redoxOrderWire(state))
	}
	return answer, nil
}

func redoxOrderWire(o redox.OrderState) gen.RedoxOrderV1 {
	return gen.RedoxOrderV1{
		Id: o.ID.Hex(), ReceivedTime: o.ReceivedTime.UTC(), SourceId: o.SourceID, Outcome: gen.RedoxOrderOutcomeV1(o.Outcome),
		ClinicId: hexOf(o.ClinicID), RedeliveryOf: hexOf(o.RedeliveryOf), ReplayOf: hexOf(o.ReplayOf), Replay: hexOf(o.Replay),
		ProcedureCode: unlessEmpty(o.ProcedureCode), Reason: unlessEmpty(o.Reason),
	}
}

func hexOf(id *bson.ObjectID) *string {
	if id == nil {
		return nil
	}
	hex := id.Hex()
	return &hex
}

// ReplayRedoxOrder has an order that did not act do so.
func (h *Handlers) ReplayRedoxOrder(ctx context.Context, request gen.ReplayRedoxOrderRequestObject) (gen.ReplayRedoxOrderResponseObject, error) {
	replay, err := h.services.Redox.Replay(ctx, request.OrderId)
	if err != nil {
		return nil, err
	}
	return gen.ReplayRedoxOrder200JSONResponse{OrderId: replay.Hex()}, nil
}
