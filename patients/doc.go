// Package patients owns the records of patients in clinics: their data, permissions, tags and sites, reviews, data sources
// and summaries, the patient list and the TIDE report. It must not know HTTP.
package patients
