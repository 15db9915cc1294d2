package merge

import (
	"fmt"
	"iter"
)

var mergedHead = []row{
	styled(title, "MERGED WORKSPACE PATIENT REVIEW"),
	cells("Status: (combined) accounts become one, (result) is what it will look like, (retained) accounts stay as they are, (ERROR) accounts prevent the merge."),
	cells("Patients with equal UUIDs are exact matches: the tags of both are kept, and in all other fields the target is."),
	cells("Likely duplicates are equal in two or more of name, date of birth and MRN. All of them are kept, for a review by hand."),
	{},
	styled(
		heading, nil, "Status ---", "Original Workspace ---", "Name ---", "Claimed ---", "UUID ---", "DOB ---", "MRN ---", "Tags ---",
		"Sites ---", "Latest Upload ---",
	),
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
		for _, r := range mergedHead {
			if !yield(r) {
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
			for r := range p.reviewRows(n, plan, matches) {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// reviewRows returns the rows of one patient of the source and of those of the target who are like that one.
func (p *Plan) reviewRows(n int, plan *PatientPlan, matches []Match) iter.Seq[row] {
	return func(yield func(row) bool) {
		for _, r := range p.ownRows(n, plan) {
			if !yield(r) {
				return
			}
		}
		counts := p.MatchCounts(plan)
		for _, review := range reviewTitles {
			if counts[review.category] == 0 {
				continue
			}
			for _, r := range p.similarRows(review.title, review.category, matches, counts[review.category]) {
				if !yield(r) {
					return
				}
			}
		}
		yield(row{})
	}
}

// similarRows returns the rows of the matches of one category, and how many there are that are not shown.
func (p *Plan) similarRows(heading string, category Category, matches []Match, count int) []row {
	rows := []row{styled(section, nil, heading)}
	for _, match := range matches {
		if match.Category == category {
			rows = append(rows, p.targetRow(plain, "(retained)", &p.Target.Patients[match.Index]))
			count--
		}
	}
	if count > 0 {
		rows = append(rows, cells(nil, fmt.Sprintf("and %d more", count)))
	}
	return rows
}

// ownRows returns the row of the patient, and what it is combined with.
func (p *Plan) ownRows(n int, plan *PatientPlan) []row {
	names := p.Names(plan)
	status, look := "(retained)", plain
	switch {
	case plan.Obstacle != "":
		status, look = "(ERROR)", blocks
	case plan.Action == Merge:
		status, look = "(combined)", combined
	}
	own := styled(look, fmt.Sprintf("Patient %d", n), status, p.Source.Name())
	own.cells = append(own.cells, patientCells(plan.Patient, names.SourceTags, names.MergedSites)...)
	if plan.Into == nil {
		return []row{own}
	}
	result := styled(combined, nil, "(result)", nil)
	result.cells = append(result.cells, patientCells(plan.Into, names.AfterTags, names.AfterSites)...)
	return []row{own, styled(section, nil, "Exact Match: Results in one claimed account"), result, p.targetRow(combined, "(combined)", plan.Into)}
}

func (p *Plan) targetRow(look style, status string, patient *Patient) row {
	r := styled(look, nil, status, p.Target.Name())
	r.cells = append(r.cells, patientCells(patient, p.tagsOf(patient, p.Target), siteNames(patient.Sites))...)
	return r
}
