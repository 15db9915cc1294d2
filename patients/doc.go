// Package patients owns the records of patients in clinics and the rules for changing them: their data, permissions, tags and
// sites, reviews, data sources and subscriptions. Reading many of them is the business of package roster. It must not know HTTP.
package patients
