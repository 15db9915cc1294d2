package merge_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
)

// reported returns a plan with something of everything that the report shows.
func reported() *merge.Plan {
	source := withSites(withTags(workspace("Bay"), "Zeta", "Pump"), "East", "West")
	target := withSites(withTags(workspace("Harbor"), "Pump", "Alpha"), "East")
	target.Clinic.MembershipRestrictions = []clinics.MembershipRestriction{{EmailDomain: "h.example", RequiredIDP: "okta"}}
	source.Members = []merge.Member{member("both", "both@b", clinicians.RoleAdmin), member("", "invited@b", clinicians.RoleMember)}
	target.Members = []merge.Member{member("boss", "boss@h", clinicians.RoleAdmin), member("both", "both@h", clinicians.RoleMember), member("", "invited@h", clinicians.RoleAdmin)}
	source.Members[0].Name, target.Members[0].Name = pointer("Bo Both"), pointer("Bea Boss")
	site := func(w, name string) patients.Site { return patients.Site{ID: id(w + name), Name: name} }
	source.Patients = []merge.Patient{
		{
			ID: id("1"), UserID: "u1", FullName: "Ann", BirthDate: "2001-01-01", MRN: "1", Tags: []bson.ObjectID{id("BayZeta"), id("BayPump")},
			Sites: []patients.Site{site("Bay", "West"), site("Bay", "East")}, LatestUpload: time.Date(2025, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600)),
		},
		{ID: id("2"), UserID: "u2", FullName: "ann", BirthDate: "2001-01-01", Claimed: true},
		{ID: id("3"), UserID: "u3", FullName: "Cy", MRN: "3"},
	}
	target.Patients = []merge.Patient{
		{ID: id("4"), UserID: "u1", FullName: "Anna", Tags: []bson.ObjectID{id("HarborAlpha")}, Sites: []patients.Site{site("Harbor", "East")}},
		{ID: id("5"), UserID: "u5", FullName: "ann"},
		{ID: id("6"), UserID: "u6", MRN: "3"},
		{ID: id("7"), UserID: "u7", FullName: "=1+1"},
	}
	return planOf(source, target)
}

func open(t require.TestingT, p *merge.Plan) *excelize.File {
	workbook, err := p.Workbook(time.Date(2026, 11, 2, 14, 46, 27, 0, time.UTC))
	require.NoError(t, err)
	file, err := excelize.OpenReader(bytes.NewReader(workbook.Bytes()))
	require.NoError(t, err)
	return file
}

func rows(t require.TestingT, file *excelize.File, sheet string) [][]string {
	found, err := file.GetRows(sheet)
	require.NoError(t, err)
	for i := range found {
		if found[i] == nil {
			found[i] = []string{}
		}
	}
	return found
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	file := open(t, reported())
	require.Equal(t, []string{
		"Summary", "Patients in Source Clinic", "Patients in Target Clinic", "Duplicates in Source Clinic", "Duplicates in Target Clinic", "Duplicates in Merged Workspace",
	}, file.GetSheetList())

	t.Run("Summary", func(t *testing.T) {
		t.Parallel()
		summary := rows(t, file, "Summary")
		summary[14] = []string{"the footnote"}
		require.Equal(t, [][]string{
			{"SUMMARY"}, {},
			{"Report Generated", "November  2 2026 14:46:27 UTC"}, {},
			{"Merging from Workspace 1 (Source)", "Bay"}, {"Merging to Workspace 2 (Target)", "Harbor"},
			{"Can execute merge plan?", "No", "No. Pending invites in source workspace"}, {},
			{"Settings ---", "Do they match? ---", "Bay ---", "Harbor ---"},
			{"Partial SSO*", "No", "N/A", "h.example/okta"}, {"MRN Required", "Yes", "Not Required", "Not Required"}, {"MRN Unique", "Yes", "No", "No"},
			{"Glucose Units", "Yes", "mg/dL", "mg/dL"}, {"Timezone", "Yes"}, {"the footnote"}, {},
			{"Measures ---", "Count ---"}, {"Resulting Members & Admins", "4"}, {"- Members downgraded from Admin", "1"}, {"Resulting Tags", "3"},
			{"- Duplicate tags that will be merged", "1"}, {"Resulting Sites", "3"}, {"- Duplicate sites that will be renamed", "1"},
			{"Resulting Patient Accounts", "6"}, {"- Duplicate Accounts", "1"}, {"- Likely Duplicate Accounts", "0"}, {"- Duplicate MRN Only", "1"},
			{"- Duplicate Name Only", "2"}, {},
			{"Resulting Admins (2)", "Workspace ---", "Email ---"}, {"Bea Boss", "Harbor", "boss@h"}, {"", "Harbor", "invited@h"}, {},
			{"Resulting Members (2)", "Workspace ---", "Email ---", "Downgrade (Only if the person is an Admin at Workspace 1 but a Member at Workspace 2) ----"},
			{"Bo Both", "Bay, Harbor", "both@b", "Yes"}, {"", "Bay", "invited@b"}, {},
			{"Pending Invites (2)", "Workspace ---"}, {"1", "Bay"}, {"1", "Harbor"}, {},
			{"Resulting Tags (3) ---", "Workspace ---", "Merge ---"}, {"Zeta", "Bay"}, {"Pump", "Bay, Harbor", "Yes"}, {"Alpha", "Harbor"}, {},
			{"Resulting Sites (3) ---", "Workspace ---", "Action ---"}, {"East", "Harbor", "Retain"}, {"East (2)", "Bay", "Rename"}, {"West", "Bay", "Create"},
		}, summary)
		kind, err := file.GetCellType("Summary", "B18")
		require.NoError(t, err)
		require.Equal(t, excelize.CellTypeUnset, kind, "counts are numbers")
		width, err := file.GetColWidth("Summary", "A")
		require.NoError(t, err)
		require.InDelta(t, 50, width, 0)
	})
	t.Run("patients", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, [][]string{
			{"Name ---", "Claimed ---", "UUID ---", "DOB ---", "MRN ---", "Tags ---", "Sites ---", "Latest Upload ---"}, {},
			{"Ann", "-", "u1", "2001-01-01", "1", "Pump, Zeta", "East, West", "2025-03-04 04:06:07"},
			{"ann", "Y", "u2", "2001-01-01"},
			{"Cy", "-", "u3", "", "3"},
		}, rows(t, file, "Patients in Source Clinic"))
		require.Len(t, rows(t, file, "Patients in Target Clinic"), 6)
		formula, err := file.GetCellFormula("Patients in Target Clinic", "A6")
		require.NoError(t, err)
		require.Empty(t, formula, "a name is never calculated")
	})
	t.Run("duplicates in one clinic", func(t *testing.T) {
		t.Parallel()
		found := rows(t, file, "Duplicates in Source Clinic")
		require.Equal(t, []string{"Bay"}, found[0])
		require.Equal(t, []string{"Review Possible Duplicates"}, found[1])
		require.Equal(t, [][]string{
			{},
			{"", "Name ---", "Claimed? ---", "UUID ---", "DOB ---", "MRN ---", "Tags ---", "Sites ---", "Latest Upload ---", "Likely Duplicates ---", "Name Only Matches ---", "MRN Only Matches ---"},
			{"Review 1"},
			{"", "Ann", "-", "u1", "2001-01-01", "1", "Pump, Zeta", "East, West", "2025-03-04 04:06:07", "u2"},
			{"", "ann", "Y", "u2", "2001-01-01", "", "", "", "", "u1"},
		}, found[6:])
		require.Len(t, rows(t, file, "Duplicates in Target Clinic"), 8, "there are none")
	})
	t.Run("duplicates in the merged workspace", func(t *testing.T) {
		t.Parallel()
		found := rows(t, file, "Duplicates in Merged Workspace")
		require.Equal(t, []string{"MERGED WORKSPACE PATIENT REVIEW"}, found[0])
		require.Equal(t, [][]string{
			{},
			{"", "Status ---", "Original Workspace ---", "Name ---", "Claimed ---", "UUID ---", "DOB ---", "MRN ---", "Tags ---", "Sites ---", "Latest Upload ---"},
			{"Patient 1", "(combined)", "Bay", "Ann", "-", "u1", "2001-01-01", "1", "Pump, Zeta", "East (2), West", "2025-03-04 04:06:07"},
			{"", "Exact Match: Results in one claimed account"},
			{"", "(result)", "", "Anna", "-", "u1", "", "", "Alpha, Pump, Zeta", "East, East (2), West"},
			{"", "(combined)", "Harbor", "Anna", "-", "u1", "", "", "Alpha", "East"},
			{"", "Review duplicate name"},
			{"", "(retained)", "Harbor", "ann", "-", "u5"},
			{},
			{"Patient 2", "(retained)", "Bay", "ann", "Y", "u2", "2001-01-01"},
			{"", "Review duplicate name"},
			{"", "(retained)", "Harbor", "ann", "-", "u5"},
			{},
			{"Patient 3", "(retained)", "Bay", "Cy", "-", "u3", "", "3"},
			{"", "Review duplicate MRN"},
			{"", "(retained)", "Harbor", "", "-", "u6", "", "3"},
		}, found[4:])
	})
}

// TestEveryRowOfThePlanIsInTheWorkbook looks for every patient, member, tag and site of any plan.
func TestEveryRowOfThePlanIsInTheWorkbook(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		file := open(t, p)
		column := func(sheet string, at int) []string {
			var cells []string
			for _, row := range rows(t, file, sheet) {
				if at < len(row) {
					cells = append(cells, row[at])
				}
			}
			return cells
		}
		for sheet, w := range map[string]*merge.Workspace{"Patients in Source Clinic": p.Source, "Patients in Target Clinic": p.Target} {
			require.Equal(t, append([]string{"UUID ---"}, users(w.Patients)...), column(sheet, 2))
		}
		summary := column("Summary", 0)
		for _, tag := range p.Tags {
			if tag.Action != merge.Skip {
				require.Contains(t, summary, tag.Name)
			}
		}
		for _, site := range p.Sites {
			require.Contains(t, summary, site.ResultingName())
		}
		addresses := column("Summary", 2)
		for i := range p.Members {
			if p.Members[i].Action != merge.MergeInto {
				require.Contains(t, addresses, *p.Members[i].Member.Email)
			}
		}
		reviewed := column("Duplicates in Merged Workspace", 5)
		for i := range p.Patients {
			for _, match := range p.Matches(&p.Patients[i]) {
				require.Contains(t, reviewed, p.Patients[i].Patient.UserID)
				require.Contains(t, reviewed, p.Target.Patients[match.Index].UserID)
			}
		}
		for sheet, w := range map[string]*merge.Workspace{"Duplicates in Source Clinic": p.Source, "Duplicates in Target Clinic": p.Target} {
			for _, cluster := range merge.Clusters(w.Patients) {
				for _, m := range cluster.Members {
					require.Contains(t, column(sheet, 3), m.Patient.UserID)
				}
			}
		}
	})
}

func TestACellHoldsOnlySoMuch(t *testing.T) {
	t.Parallel()
	source := workspace("Source")
	for i := range 1000 {
		label := fmt.Sprintf("user%040d", i)
		source.Patients = append(source.Patients, merge.Patient{ID: id(label), UserID: label, FullName: "Test Test"})
	}
	found := rows(t, open(t, planOf(source, workspace("Target"))), "Duplicates in Source Clinic")
	require.Len(t, found, 9+1000)
	require.Regexp(t, `, and \d+ more$`, found[9][10])
	require.LessOrEqual(t, len(found[9][10]), excelize.TotalCellChars)
}
