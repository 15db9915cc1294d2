package merge

import (
	"bytes"
	"iter"
	"time"

	"github.com/xuri/excelize/v2"
)

// row is a row of a sheet: texts, numbers, and nil for empty cells. A row without cells is blank.
type row struct {
	style style
	cells []any
}

func cells(values ...any) row { return row{cells: values} }

func styled(s style, values ...any) row { return row{style: s, cells: values} }

// sheet is a sheet of the workbook. The rows are gone through twice, first for the widths of the columns, so that they need
// not be kept.
type sheet struct {
	name   string
	rows   iter.Seq[row]
	frozen int  // number of the last row that stays in view and is repeated on each printed page
	filter bool // whether the frozen row has filters for the rows below it
}

// sheets returns the sheets of the report in order.
func (p *Plan) sheets(generated time.Time) []sheet {
	return []sheet{
		{name: "Summary", rows: p.summaryRows(generated), frozen: 1},
		{"Patients in Source Clinic", p.patientRows(p.Source), 1, true},
		{"Patients in Target Clinic", p.patientRows(p.Target), 1, true},
		{"Duplicates in Source Clinic", p.clusterRows(p.Source), len(clusterHead) + 1, true},
		{"Duplicates in Target Clinic", p.clusterRows(p.Target), len(clusterHead) + 1, true},
		{"Duplicates in Merged Workspace", p.mergedRows(), len(mergedHead), true},
	}
}

// Workbook returns the report as an Office Open XML workbook. generated is the time that it shows, in the zone to show.
func (p *Plan) Workbook(generated time.Time) (*bytes.Buffer, error) {
	file := excelize.NewFile()
	defer file.Close()
	styles, err := newStyles(file)
	if err != nil {
		return nil, err
	}
	for i, sheet := range p.sheets(generated) {
		if err := addSheet(file, styles, i, sheet); err != nil {
			return nil, err
		}
	}
	return file.WriteToBuffer()
}

func addSheet(file *excelize.File, styles map[style]int, index int, s sheet) error {
	var err error
	if index == 0 {
		err = file.SetSheetName(file.GetSheetName(0), s.name)
	} else {
		_, err = file.NewSheet(s.name)
	}
	if err != nil {
		return err
	}
	size := measure(s.rows)
	if err := layOut(file, s, size); err != nil { // the writer takes over what is set before
		return err
	}
	writer, err := file.NewStreamWriter(s.name)
	if err != nil {
		return err
	}
	if err := size.setWidths(writer); err != nil {
		return err
	}
	if err := freeze(writer, s.frozen); err != nil {
		return err
	}
	return writeRows(writer, styles, s.rows)
}

func writeRows(writer *excelize.StreamWriter, styles map[style]int, rows iter.Seq[row]) error {
	number := 0
	for r := range limited(rows) {
		number++
		if len(r.cells) == 0 {
			continue
		}
		values := make([]any, len(r.cells))
		for i, value := range r.cells {
			values[i] = excelize.Cell{StyleID: styles[r.style], Value: value}
			if r.style == plain {
				values[i] = value
			}
		}
		if err := writer.SetRow(cellName(1, number), values); err != nil {
			return err
		}
	}
	return writer.Flush()
}

// limited ends after as many rows as a sheet can have.
func limited(rows iter.Seq[row]) iter.Seq[row] {
	return func(yield func(row) bool) {
		n := 0
		for r := range rows {
			if n++; n == excelize.TotalRows {
				yield(cells("There are more rows than a sheet can hold."))
				return
			}
			if !yield(r) {
				return
			}
		}
	}
}

func cellName(column, number int) string {
	name, _ := excelize.CoordinatesToCellName(column, number) // fails only for numbers below 1
	return name
}
