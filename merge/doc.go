// Package merge owns the merging of two clinics: the plan of what becomes of every tag, site, member and patient of both,
// the report that shows it, and the steps that carry it out.
//
// The plan is made from data alone. It is carried out in small steps from a list in the database. So a merge that was cut
// off goes on where it stopped, and neither memory nor transactions grow with the documents of the clinics: of a patient,
// the plan has some 600 bytes.
//
// # States
//
// A merge that is not complete is a document in open_merges. One process at a time works on it, the one that has its lease.
//
//	 Merge: nobody merges one of the clinics
//	       |
//	       v              the plan has obstacles, and no step was ever applied
//	+-> planning ----------------------------------------------------------------> blocked (deleted)
//	|      |
//	|      | all steps are written
//	|      v
//	|   planned
//	|      |
//	|      | the target has the tags and sites
//	|      v              no step is left, and the source is empty: the source is removed
//	+-- moving  -----------------------------------------------------------------> done (deleted)
//	  no step is left, but something came into the source: the rest is planned, at most five times a call
//
// A process that dies leaves the merge in its state. When the lease has run out, the next call for the same clinics takes
// it and goes on from there. A merge that is planning for the first time has changed nothing yet: if its process died, a
// merge of one of the clinics with another one gives it up.
//
// A merge that has applied steps and then meets obstacles stays in planning, and its lease is given back. It goes on when
// somebody has removed the obstacles and repeats the call.
//
// The package must not know HTTP.
package merge
