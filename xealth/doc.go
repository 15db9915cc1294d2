// Package xealth owns the integration with Xealth, through which clinicians order the service from inside their health
// record: the forms shown while an order is placed, the orders, the state of a patient's program, and the page that shows
// the report. It must not know HTTP, and it reads and changes clinics and patients only through the packages that own them.
//
// A notification goes one way down notification.go:
//
//	Notify   is it for us?  clinic, program, not done yet     reads clinic and event
//	         which patient is it about?                       reads the order from Xealth
//	         wait for the lease of the patient
//	process  decide           what does it do?                reads patient and form, changes nothing
//	         events.store     the event, with what it will do
//	         apply            adds the patient, asks for connections, switches reports on or off
//	         events.markDone
//
// An event that is cut short anywhere resumes when Xealth repeats it, or somebody replays it (replay.go): it is decided anew by
// what is stored then. orders.go tells what became of events.
package xealth
