package merge

import (
	"fmt"
	"iter"
)

var mergedHead = []row{
	{"MERGED WORKSPACE PATIENT REVIEW"},
	{"Status: (combined) accounts become one, (result) is what it will look like, (retained) accounts stay as they are, (ERROR) accounts prevent the merge."},
	{"Patients with equal UUIDs are exact matches: the tags of both are kept, and in all other fields the target is."},
	{"Likely duplicates are equal in two or more of name, date of birth and MRN. All of them are kept, for a review by hand."},
	{},
	{
		nil, "Status ---", "Original Workspace ---", "Name ---", "Claimed ---", "UUID ---", "DOB ---", "MRN ---", "Tags ---",
		"Sites ---", "Latest Upload ---",
	},
}

// reviewTitles are the titles of the patients that are kept beside the one that they are like, in order.
var reviewTitles = []struct {
	category Category
	title    string
}{
	{LikelyDuplicate, "Review likely duplicate(s)"},
	{SameName, "Review duplicate name"},
	{SameMRN, "Review duplicate MRN"},
}

func (p *Plan) mergedRows() iter.Seq[row] {
	return func(yield func(row) bool) {
		for _, cells := range mergedHead {
			if !yield(cells) {
				return
			}
		}
		n := 0
		for i := range p.Patients {
			plan := &p.Patients[i]
			matches := p.Matches(plan)
			if len(matches) == 0 {
				continue
			}
			n++
			for cells := range p.reviewRows(n, plan, matches) {
				if !yield(cells) {
					return
				}
			}
		}
	}
}

// reviewRows returns the rows of one patient of the source and of those of the target who are like that one.
func (p *Plan) reviewRows(n int, plan *PatientPlan, matches []Match) iter.Seq[row] {
	return func(yield func(row) bool) {
		for _, cells := range p.ownRows(n, plan) {
			if !yield(cells) {
				return
			}
		}
		for _, review := range reviewTitles {
			titled := false
			for _, match := range matches {
				if match.Category != review.category {
					continue
				}
				if !titled && !yield(row{nil, review.title}) {
					return
				}
				titled = true
				if !yield(p.targetRow("(retained)", &p.Target.Patients[match.Index])) {
					return
				}
			}
		}
		yield(nil)
	}
}

// ownRows returns the row of the patient, and what it is united with.
func (p *Plan) ownRows(n int, plan *PatientPlan) []row {
	names := p.Names(plan)
	status := choose(plan.Action == Merge, "(combined)", "(retained)")
	if plan.Obstacle != "" {
		status = "(ERROR)"
	}
	rows := []row{append(row{fmt.Sprintf("Patient %d", n), status, p.Source.Name()}, patientCells(plan.Patient, names.SourceTags, names.MergedSites)...)}
	if plan.Into == nil {
		return rows
	}
	return append(rows,
		row{nil, "Exact Match: Results in one claimed account"},
		append(row{nil, "(result)", nil}, patientCells(plan.Into, names.AfterTags, names.AfterSites)...),
		p.targetRow("(combined)", plan.Into),
	)
}

func (p *Plan) targetRow(status string, patient *Patient) row {
	return append(row{nil, status, p.Target.Name()}, patientCells(patient, p.tagsOf(patient, p.Target), siteNames(patient.Sites))...)
}
