package merge

import (
	"fmt"
	"iter"
	"slices"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// style says how a row looks.
type style int

const (
	plain    style = iota
	title          // of a sheet
	heading        // of the columns of a table
	section        // of some rows in a table
	allows         // the merge can be executed
	blocks         // why it cannot
	combined       // what becomes one
)

const (
	fillHeading  = "D9E1F2"
	fillAllows   = "E2EFDA"
	fillBlocks   = "F8CBAD"
	fillCombined = "DDEBF7"
)

// newStyles returns the styles of the workbook by what they are for.
func newStyles(file *excelize.File) (map[style]int, error) {
	fill := func(color string) excelize.Fill {
		return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}
	}
	bold := &excelize.Font{Bold: true}
	styles := map[style]int{}
	for s, look := range map[style]*excelize.Style{
		title:    {Font: &excelize.Font{Bold: true, Size: 14}},
		heading:  {Font: bold, Fill: fill(fillHeading), Border: []excelize.Border{{Type: "bottom", Color: "8EA9DB", Style: 1}}},
		section:  {Font: bold},
		allows:   {Fill: fill(fillAllows)},
		blocks:   {Font: bold, Fill: fill(fillBlocks)},
		combined: {Fill: fill(fillCombined)},
	} {
		id, err := file.NewStyle(look)
		if err != nil {
			return nil, err
		}
		styles[s] = id
	}
	return styles, nil
}

// The widths of columns, in characters.
const (
	firstWidth    = 50
	leastWidth    = 10
	greatestWidth = 80
)

// sheetSize is what has to be known of the rows before the first of them is written.
type sheetSize struct {
	rows   int
	widths []int
}

func measure(rows iter.Seq[row]) sheetSize {
	var size sheetSize
	for r := range limited(rows) {
		size.rows++
		for i, cell := range r.cells {
			if i == len(size.widths) {
				size.widths = append(size.widths, leastWidth)
			}
			if text, ok := cell.(string); ok {
				size.widths[i] = min(max(size.widths[i], utf8.RuneCountInString(text)+2), greatestWidth)
			}
		}
	}
	if len(size.widths) > 0 {
		size.widths[0] = firstWidth
	}
	return size
}

func (s sheetSize) setWidths(writer *excelize.StreamWriter) error {
	for i, width := range slices.Backward(s.widths) { // the writer puts each before those that it has
		if err := writer.SetColWidth(i+1, i+1, float64(width)); err != nil {
			return err
		}
	}
	return nil
}

// layOut sets filters and how the sheet is printed: on landscape pages that are as wide as the table.
func layOut(file *excelize.File, s sheet, size sheetSize) error {
	if s.filter {
		if err := addFilter(file, s, size); err != nil {
			return err
		}
	}
	landscape, width, height, fit := "landscape", 1, 0, true // 0 is as many pages as it takes
	if err := file.SetPageLayout(s.name, &excelize.PageLayoutOptions{Orientation: &landscape, FitToWidth: &width, FitToHeight: &height}); err != nil {
		return err
	}
	return file.SetSheetProps(s.name, &excelize.SheetPropsOptions{FitToPage: &fit}) // last, because a filter drops it
}

// addFilter adds a filter to the frozen row, and repeats that row on each printed page.
func addFilter(file *excelize.File, s sheet, size sheetSize) error {
	if err := file.SetDefinedName(&excelize.DefinedName{
		Name: "_xlnm.Print_Titles", Scope: s.name, RefersTo: fmt.Sprintf("'%s'!$%d:$%d", s.name, s.frozen, s.frozen),
	}); err != nil {
		return err
	}
	return file.AutoFilter(s.name, cellName(1, s.frozen)+":"+cellName(len(size.widths), max(size.rows, s.frozen)), nil)
}

func freeze(writer *excelize.StreamWriter, rows int) error {
	return writer.SetPanes(&excelize.Panes{Freeze: true, YSplit: rows, TopLeftCell: cellName(1, rows+1), ActivePane: "bottomLeft"})
}
