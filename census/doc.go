// Package census owns how many patients a clinic has: in all, against its limit, by data source, tag and site. So nothing has
// to read the patients of a clinic to show a number.
//
// The numbers that other services read stand in the clinic document, as patientCount, which is written only when it changes.
// The numbers by tag and site stand in the collection patient_census, one document for each clinic, which nobody else reads. Every
// write that changes a number runs inside Service.Change, which adds the difference. With transactions both are one; without,
// a note in census_changes is left before the write and removed after it, so that a process that dies in between is noticed.
//
// A recount mends what went wrong all the same: a note that was left, or a writer that knows nothing of this. It compares what
// is stored with what is counted at one moment, and adds the difference between the two, so that it neither waits for writers
// nor undoes what they add meanwhile. Recounts run in the background, one at a time for a clinic, under a lease.
package census
