package api

import (
	"context"
	"time"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/xealth"
)

// ListXealthOrders lists events of orders with what became of them.
func (h *Handlers) ListXealthOrders(ctx context.Context, request gen.ListXealthOrdersRequestObject) (gen.ListXealthOrdersResponseObject, error) {
	p := request.Params
	filter := xealth.OrderFilter{Since: valueOr(p.Since, time.Now().Add(-ordersPeriod)), Deployment: valueOf(p.Deployment), Before: p.Before}
	filter.Unfinished = p.Outcome == nil || xealth.Outcome(*p.Outcome) != xealth.Done
	filter.Wanted = func(o xealth.OrderState) bool {
		switch {
		case p.Outcome == nil && p.Reason == nil:
			return o.Outcome.NeedsHelp()
		case p.Outcome != nil && o.Outcome != xealth.Outcome(*p.Outcome):
			return false
		default:
			return p.Reason == nil || o.Reason == *p.Reason
		}
	}
	orders, next, err := h.services.Xealth.Orders(ctx, filter, valueOr(p.Limit, ordersLimit))
	if err != nil {
		return nil, err
	}
	answer := gen.ListXealthOrders200JSONResponse{Orders: make([]gen.XealthOrderV1, 0, len(orders)), Next: hexOf(next)}
	for _, order := range orders {
		answer.Orders = append(answer.Orders, xealthOrderWire(order))
	}
	return answer, nil
}

func xealthOrderWire(o xealth.OrderState) gen.XealthOrderV1 {
	wire := gen.XealthOrderV1{
		Id: o.ID.Hex(), ReceivedTime: o.ReceivedTime.UTC(), Deployment: o.Notification.Deployment, XealthOrderId: o.Notification.OrderID,
		Event: o.Notification.EventContext, ProgramId: o.Notification.ProgramID, ClinicId: hexOf(o.ClinicID),
		Outcome: gen.XealthOrderOutcomeV1(o.Outcome),
	}
	if o.ReplayedTime != nil {
		replayed := o.ReplayedTime.UTC()
		wire.ReplayedTime = &replayed
	}
	if o.Reason != "" {
		wire.Reason, wire.Message = &o.Reason, &o.Text
	}
	return wire
}

// ReplayXealthOrder has an event that stopped half-way go on.
func (h *Handlers) ReplayXealthOrder(ctx context.Context, request gen.ReplayXealthOrderRequestObject) (gen.ReplayXealthOrderResponseObject, error) {
	if err := h.services.Xealth.Replay(ctx, request.OrderId); err != nil {
		return nil, err
	}
	return gen.ReplayXealthOrder200JSONResponse{OrderId: request.OrderId.Hex()}, nil
}
