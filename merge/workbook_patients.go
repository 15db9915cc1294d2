package merge

import (
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

const uploadTime = "2006-01-02 15:04:05"

// text returns a cell, empty if there is nothing to say.
func text(value string) any {
	if value == "" {
		return nil
	}
	return value
}

// list returns a cell with the values one after the other.
func list(values []string) any { return listOf(values, len(values)) }

// listOf returns a cell with the first of so many values. It tells how many do not fit or are not given.
func listOf(values []string, count int) any {
	joined := strings.Join(values, ", ")
	if len(values) == count && utf8.RuneCountInString(joined) <= excelize.TotalCellChars {
		return text(joined)
	}
	const note = len(", and 1000000 more")
	length := 0
	for i, value := range values {
		length += utf8.RuneCountInString(value) + len(", ")
		if length > excelize.TotalCellChars-note {
			return fmt.Sprintf("%s, and %d more", strings.Join(values[:i], ", "), count-i)
		}
	}
	return fmt.Sprintf("%s, and %d more", joined, count-len(values))
}

// patientCells returns the columns that all tables of patients share.
func patientCells(patient *Patient, tags, sites []string) []any {
	var upload any
	if !patient.LatestUpload.IsZero() {
		upload = patient.LatestUpload.UTC().Format(uploadTime)
	}
	return []any{
		text(patient.FullName), choose(patient.Claimed, "Y", "-"), text(patient.UserID), text(patient.BirthDate), text(patient.MRN),
		list(tags), list(sites), upload,
	}
}

func (p *Plan) patientRows(workspace *Workspace) iter.Seq[row] {
	return func(yield func(row) bool) {
		head := styled(heading, "Name ---", "Claimed ---", "UUID ---", "DOB ---", "MRN ---", "Tags ---", "Sites ---", "Latest Upload ---")
		if !yield(head) || !yield(row{}) {
			return
		}
		for i := range workspace.Patients {
			patient := &workspace.Patients[i]
			if !yield(cells(patientCells(patient, p.tagsOf(patient, workspace), siteNames(patient.Sites))...)) {
				return
			}
		}
	}
}

var clusterHead = []row{
	styled(title, "Review Possible Duplicates"),
	cells("Patients in a group may be the same person: each of them is like at least one other of the group."),
	cells("Likely duplicates are equal in two or more of name, date of birth and MRN. The other two columns name patients who are equal in nothing else."),
	cells("The columns of matches hold UUIDs. The UUID of a patient is part of the address of the patient's page in the app."),
	cells("Every patient appears once."),
	{},
	styled(
		heading, nil, "Name ---", "Claimed? ---", "UUID ---", "DOB ---", "MRN ---", "Tags ---", "Sites ---", "Latest Upload ---",
		"Likely Duplicates ---", "Name Only Matches ---", "MRN Only Matches ---",
	),
}

func (p *Plan) clusterRows(workspace *Workspace) iter.Seq[row] {
	return func(yield func(row) bool) {
		if !yield(styled(section, workspace.Name())) {
			return
		}
		for _, r := range clusterHead {
			if !yield(r) {
				return
			}
		}
		for n, cluster := range Clusters(workspace.Patients) {
			if !yield(styled(section, fmt.Sprintf("Review %d", n+1))) {
				return
			}
			for i := range cluster.Members {
				if !yield(p.clusterCells(workspace, &cluster.Members[i])) {
					return
				}
			}
			if !yield(row{}) {
				return
			}
		}
	}
}

func (p *Plan) clusterCells(workspace *Workspace, member *clusterMember) row {
	r := cells(nil)
	r.cells = append(r.cells, patientCells(member.Patient, p.tagsOf(member.Patient, workspace), siteNames(member.Patient.Sites))...)
	alike, counts := member.Alike(), member.Counts()
	for _, category := range []Category{LikelyDuplicate, SameName, SameMRN} {
		r.cells = append(r.cells, listOf(alike[category], counts[category]))
	}
	return r
}
