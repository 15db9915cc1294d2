// Package merge owns the merging of two clinics: the plan of what becomes of every tag, site, member and patient of both,
// the report that shows it, and the steps that carry it out.
//
// The plan is made from data alone. It is carried out in small steps from a list in the database, so that a merge that was
// cut off goes on where it stopped, and so that neither memory nor transactions grow with the documents of the clinics: of
// a patient, the plan holds some 300 bytes.
//
// The package must not know HTTP.
package merge
