// Package summary owns the glucose statistics of a patient: their stored form, their wire form, and the way from one to the
// other. The summary service computes them; nothing is computed here. The package must not know who a patient is.
package summary
