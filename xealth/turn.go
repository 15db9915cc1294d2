package xealth

import (
	"context"
	"slices"
	"time"

	"github.com/tidepool-org/clinic/store"
)

const (
	// leaseKind is what the work on one patient, or on an order without one, is called among the leases.
	leaseKind = "xealth"
	// leasePatience leaves time to answer: Xealth waits 29 seconds.
	leasePatience = 20 * time.Second
)

// turn waits until nobody else works on the patient of the order. The work is to be done with the context that it returns,
// and release to be called afterwards.
func (s *Service) turn(ctx context.Context, m match, orderID string) (context.Context, func(), error) {
	asked := time.Now()
	defer func() { s.tallies.TurnWaits.Observe(time.Since(asked)) }()
	var held []*store.Lease
	release := func() {
		for _, lease := range slices.Backward(held) {
			lease.Release()
		}
	}
	for _, subject := range m.subjects(orderID) {
		working, lease, err := s.leases.Wait(ctx, leaseKind, subject, time.Until(asked.Add(leasePatience)))
		if err != nil {
			release()
			return nil, nil, err
		}
		ctx, held = working, append(held, lease)
	}
	return ctx, release, nil
}

// subjects names what only one process may work on at a time: the patient, because two orders would both add the patient. A
// patient whose number was replaced has a name for each number, for an order may still have the old one. They are in an order
// that all keep, so that nobody waits in a circle.
func (m match) subjects(orderID string) []string {
	if m.mrn == "" {
		return []string{m.clinic.ID.Hex() + " order " + orderID}
	}
	subjects := make([]string, 0, 1+len(m.former))
	for _, mrn := range append([]string{m.mrn}, m.former...) {
		subjects = append(subjects, m.clinic.ID.Hex()+" patient "+mrn)
	}
	slices.Sort(subjects)
	return subjects
}
