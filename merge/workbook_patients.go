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

// list returns a cell with the values one after the other. What does not fit into a cell is counted.
func list(values []string) any {
	joined := strings.Join(values, ", ")
	if utf8.RuneCountInString(joined) <= excelize.TotalCellChars {
		return text(joined)
	}
	const note = len(", and 1000000 more")
	length := 0
	for i, value := range values {
		length += utf8.RuneCountInString(value) + len(", ")
		if length > excelize.TotalCellChars-note {
			return fmt.Sprintf("%s, and %d more", strings.Join(values[:i], ", "), len(values)-i)
		}
	}
	return joined
}

// patientCells returns the columns that all tables of patients share.
func patientCells(patient *Patient, tags, sites []string) row {
	var upload any
	if !patient.LatestUpload.IsZero() {
		upload = patient.LatestUpload.UTC().Format(uploadTime)
	}
	return row{
		text(patient.FullName), choose(patient.Claimed, "Y", "-"), text(patient.UserID), text(patient.BirthDate), text(patient.MRN),
		list(tags), list(sites), upload,
	}
}

func (p *Plan) patientRows(workspace *Workspace) iter.Seq[row] {
	return func(yield func(row) bool) {
		heading := row{"Name ---", "Claimed ---", "UUID ---", "DOB ---", "MRN ---", "Tags ---", "Sites ---", "Latest Upload ---"}
		if !yield(heading) || !yield(nil) {
			return
		}
		for i := range workspace.Patients {
			patient := &workspace.Patients[i]
			if !yield(patientCells(patient, p.tagsOf(patient, workspace), siteNames(patient.Sites))) {
				return
			}
		}
	}
}

var clusterHead = []row{
	{"Review Possible Duplicates"},
	{"Patients in a group may be the same person: each of them is like at least one other of the group."},
	{"Likely duplicates are equal in two or more of name, date of birth and MRN. The other two columns name patients who are equal in nothing else."},
	{"The columns of matches hold UUIDs. The UUID of a patient is part of the address of the patient's page in the app."},
	{"Every patient appears once."},
	{},
	{
		nil, "Name ---", "Claimed? ---", "UUID ---", "DOB ---", "MRN ---", "Tags ---", "Sites ---", "Latest Upload ---",
		"Likely Duplicates ---", "Name Only Matches ---", "MRN Only Matches ---",
	},
}

func (p *Plan) clusterRows(workspace *Workspace) iter.Seq[row] {
	return func(yield func(row) bool) {
		if !yield(row{workspace.Name()}) {
			return
		}
		for _, cells := range clusterHead {
			if !yield(cells) {
				return
			}
		}
		for n, cluster := range Clusters(workspace.Patients) {
			if !yield(row{fmt.Sprintf("Review %d", n+1)}) {
				return
			}
			for i := range cluster.Members {
				if !yield(p.clusterCells(workspace, &cluster.Members[i])) {
					return
				}
			}
			if !yield(nil) {
				return
			}
		}
	}
}

func (p *Plan) clusterCells(workspace *Workspace, member *ClusterMember) row {
	cells := append(row{nil}, patientCells(member.Patient, p.tagsOf(member.Patient, workspace), siteNames(member.Patient.Sites))...)
	alike := member.Alike()
	return append(cells, list(alike[LikelyDuplicate]), list(alike[SameName]), list(alike[SameMRN]))
}
