package merge_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/merge"
)

// look returns the style of a cell.
func look(t *testing.T, file *excelize.File, sheet, cell string) *excelize.Style {
	t.Helper()
	id, err := file.GetCellStyle(sheet, cell)
	require.NoError(t, err)
	found, err := file.GetStyle(id)
	require.NoError(t, err)
	return found
}

func fill(t *testing.T, file *excelize.File, sheet, cell string) string {
	t.Helper()
	return strings.Join(look(t, file, sheet, cell).Fill.Color, " ")
}

func TestEverySheetIsEasyToReadAndToPrint(t *testing.T) {
	t.Parallel()
	file := open(t, reported())
	for sheet, frozen := range map[string]int{
		"Summary": 1, "Patients in Source Clinic": 1, "Patients in Target Clinic": 1, "Duplicates in Source Clinic": 8,
		"Duplicates in Target Clinic": 8, "Duplicates in Merged Workspace": 6,
	} {
		panes, err := file.GetPanes(sheet)
		require.NoError(t, err)
		require.True(t, panes.Freeze, sheet)
		require.Equal(t, frozen, panes.YSplit, sheet)
		cell := fmt.Sprint("B", frozen)
		if sheet == "Summary" {
			cell = "B9"
		}
		require.True(t, look(t, file, sheet, cell).Font.Bold, sheet)
		layout, err := file.GetPageLayout(sheet)
		require.NoError(t, err)
		require.Equal(t, "landscape", *layout.Orientation, sheet)
		require.Equal(t, 1, *layout.FitToWidth, sheet)
		require.Equal(t, 0, *layout.FitToHeight, sheet)
		props, err := file.GetSheetProps(sheet)
		require.NoError(t, err)
		require.True(t, *props.FitToPage, sheet)
	}
	filters, titles := map[string]string{}, map[string]string{}
	for _, name := range file.GetDefinedName() {
		switch name.Name {
		case "_xlnm._FilterDatabase":
			filters[name.Scope] = name.RefersTo
		case "_xlnm.Print_Titles":
			titles[name.Scope] = name.RefersTo
		}
	}
	require.Len(t, filters, 5)
	require.Equal(t, "'Patients in Source Clinic'!$A$1:$H$5", filters["Patients in Source Clinic"])
	require.Equal(t, "'Duplicates in Target Clinic'!$A$8:$L$8", filters["Duplicates in Target Clinic"])
	require.Equal(t, "'Duplicates in Merged Workspace'!$6:$6", titles["Duplicates in Merged Workspace"])
}

func TestColoursTellWhatBlocksAndWhatIsCombined(t *testing.T) {
	t.Parallel()
	p := reported()
	file := open(t, p)
	const merged = "Duplicates in Merged Workspace"
	combined := fill(t, file, merged, "B7")
	require.NotEmpty(t, combined)
	require.Equal(t, combined, fill(t, file, merged, "D9"), "the result")
	require.Equal(t, combined, fill(t, file, "Summary", "A44"), "a tag of both")
	require.Empty(t, fill(t, file, merged, "B12"), "retained")
	blocked := fill(t, file, "Summary", "B7")
	require.NotEmpty(t, blocked)
	require.NotEqual(t, combined, blocked)
	require.Empty(t, fill(t, file, "Summary", "B10"), "a difference that does not block")

	for _, w := range []*merge.Workspace{p.Source, p.Target} {
		w.Clinic.MRNSettings = &clinics.MRNSettings{Required: true, Unique: true}
	}
	file = open(t, planOf(p.Source, p.Target))
	require.Equal(t, []string{"Patient 2", "(ERROR)"}, rows(t, file, merged)[13][:2])
	require.Equal(t, blocked, fill(t, file, merged, "A14"))

	free := open(t, planOf(workspace("Source"), workspace("Target")))
	require.NotContains(t, []string{"", blocked}, fill(t, free, "Summary", "B7"))
}

func TestMatchesThatAreNotShownAreCounted(t *testing.T) {
	t.Parallel()
	source, target := namesakes(130)
	for i := range target.Patients {
		target.Patients[i].BirthDate = ""
	}
	p := planOf(source, target)
	require.Len(t, p.Matches(&p.Patients[0]), 100)
	require.Equal(t, map[merge.Category]int{merge.SameName: 130}, p.MatchCounts(&p.Patients[0]))
	found := rows(t, open(t, p), "Duplicates in Merged Workspace")
	require.Equal(t, []string{"", "and 30 more"}, found[6+1+1+100])
	report := p.Report()
	require.Len(t, report.PatientPlans[0].Conflicts[merge.SameName], 100)
	require.Equal(t, 130, report.PatientPlans[0].ConflictCounts[merge.SameName])
	require.Equal(t, map[merge.Category]int{merge.SameName: 128, merge.LikelyDuplicate: 1}, report.SourcePatientClusters[0].Patients[0].ConflictCounts, "130 share 100 dates")
	require.Nil(t, report.TargetPatientClusters[0].Patients[0].Conflicts[merge.SameMRN])
}

func TestWorkbookOpensInLibreOffice(t *testing.T) {
	t.Parallel()
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("LibreOffice is not installed here: whether it opens the workbook is not tested")
	}
	folder := t.TempDir()
	workbook, err := reported().Workbook(time.Now())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "report.xlsx"), workbook.Bytes(), 0o600))
	// The filter's last number asks for all sheets, each in a file of its own.
	convert := exec.CommandContext(t.Context(), office, "-env:UserInstallation=file://"+filepath.Join(folder, "profile"), "--headless",
		"--convert-to", `csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1`, "--outdir", folder, filepath.Join(folder, "report.xlsx"))
	output, err := convert.CombinedOutput()
	require.NoError(t, err, string(output))
	sheets, err := filepath.Glob(filepath.Join(folder, "*.csv"))
	require.NoError(t, err)
	require.Len(t, sheets, 6)
	at := slices.IndexFunc(sheets, func(name string) bool { return strings.Contains(name, "Patients in Source") })
	content, err := os.ReadFile(sheets[at])
	require.NoError(t, err)
	require.Contains(t, string(content), `Ann,-,u1,2001-01-01,1,"Pump, Zeta","East, West",2025-03-04 04:06:07`)
}
