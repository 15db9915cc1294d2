package merge

import (
	"bytes"
	"iter"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// row is a row of a sheet: texts, numbers, and nil for empty cells. An empty row is blank.
type row []any

// sheet is a sheet of the workbook. The rows are gone through twice, first for the widths of the columns, so that they need
// not be kept.
type sheet struct {
	name string
	rows iter.Seq[row]
}

// sheets returns the sheets of the report in order.
func (p *Plan) sheets(generated time.Time) []sheet {
	return []sheet{
		{"Summary", p.summaryRows(generated)},
		{"Patients in Source Clinic", p.patientRows(p.Source)},
		{"Patients in Target Clinic", p.patientRows(p.Target)},
		{"Duplicates in Source Clinic", p.clusterRows(p.Source)},
		{"Duplicates in Target Clinic", p.clusterRows(p.Target)},
		{"Duplicates in Merged Workspace", p.mergedRows()},
	}
}

// Workbook returns the report as an Office Open XML workbook. generated is the time that it shows, in the zone to show.
func (p *Plan) Workbook(generated time.Time) (*bytes.Buffer, error) {
	file := excelize.NewFile()
	defer file.Close() //nolint:errcheck // it removes temporary files, and the system does that, too
	for i, sheet := range p.sheets(generated) {
		if err := addSheet(file, i, sheet); err != nil {
			return nil, err
		}
	}
	return file.WriteToBuffer()
}

func addSheet(file *excelize.File, index int, s sheet) error {
	var err error
	if index == 0 {
		err = file.SetSheetName(file.GetSheetName(0), s.name)
	} else {
		_, err = file.NewSheet(s.name)
	}
	if err != nil {
		return err
	}
	writer, err := file.NewStreamWriter(s.name)
	if err != nil {
		return err
	}
	if err := setWidths(writer, s.rows); err != nil {
		return err
	}
	number := 0
	for cells := range limited(s.rows) {
		number++
		if len(cells) == 0 {
			continue
		}
		if err := writer.SetRow(cellName(number), cells); err != nil {
			return err
		}
	}
	return writer.Flush()
}

// limited ends after as many rows as a sheet can have. Only clinics in which thousands share a name come near it.
func limited(rows iter.Seq[row]) iter.Seq[row] {
	return func(yield func(row) bool) {
		n := 0
		for cells := range rows {
			if n++; n == excelize.TotalRows {
				yield(row{"There are more rows than a sheet can hold."})
				return
			}
			if !yield(cells) {
				return
			}
		}
	}
}

func cellName(number int) string {
	name, _ := excelize.CoordinatesToCellName(1, number) // fails only for numbers below 1
	return name
}

// The widths of columns, in characters.
const (
	firstWidth    = 50
	leastWidth    = 10
	greatestWidth = 80
)

func setWidths(writer *excelize.StreamWriter, rows iter.Seq[row]) error {
	var widths []int
	for cells := range rows {
		for i, cell := range cells {
			if i == len(widths) {
				widths = append(widths, leastWidth)
			}
			if text, ok := cell.(string); ok {
				widths[i] = min(max(widths[i], utf8.RuneCountInString(text)+2), greatestWidth)
			}
		}
	}
	if len(widths) > 0 {
		widths[0] = firstWidth
	}
	for i, width := range widths {
		if err := writer.SetColWidth(i+1, i+1, float64(width)); err != nil {
			return err
		}
	}
	return nil
}
