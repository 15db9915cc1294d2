package api

import "go.mongodb.org/mongo-driver/v2/event"

// PoolMonitor returns a monitor that keeps the metrics of the database connections.
func (m *Metrics) PoolMonitor() *event.PoolMonitor {
	open, busy := m.pool.WithLabelValues("open"), m.pool.WithLabelValues("in use")
	return &event.PoolMonitor{Event: func(e *event.PoolEvent) {
		switch e.Type {
		case event.ConnectionCreated:
			open.Inc()
		case event.ConnectionClosed:
			open.Dec()
		case event.ConnectionCheckedOut:
			busy.Inc()
		case event.ConnectionCheckedIn:
			busy.Dec()
		}
	}}
}
