// Package events holds what others see of the database. A worker and a gatekeeper follow its change stream: they react to which
// collection an event is of, and to which fields it names. So the events of every operation are a contract, which
// docs/events.md shows and these tests compare with what a real change stream tells.
package events
