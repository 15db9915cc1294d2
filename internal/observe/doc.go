// Package observe reports what the service does: its metrics, for Prometheus, and what is on the second, local address. It knows
// no domain. Those count in tallies of their own, which the wiring hands in.
package observe
