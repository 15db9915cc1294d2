// Package audit keeps the trail of who did what: an entry for each change, and where it is wanted, for each reading of a patient.
// 45 CFR 164.312(b) asks for such a record. It holds names of fields, never what is in them.
package audit
