// Package xealth owns the integration with Xealth, through which clinicians order the service from inside their health
// record: the forms shown while an order is placed, the orders, the state of a patient's program, and the page that shows
// the report. It must not know HTTP, and it reads and changes clinics and patients only through the packages that own them.
package xealth
