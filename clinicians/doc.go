// Package clinicians owns the members of clinics: their roles, invites and service accounts, and the rule that a clinic
// keeps an admin. It must not know HTTP or patients.
package clinicians
