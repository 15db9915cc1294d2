package api

import (
	"strings"
	"time"

	"github.com/tidepool-org/clinic/clinics"
)

// csvStart returns what a file begins with.
func csvStart(mark bool, titles []string) string {
	start := ""
	if mark {
		start = byteOrderMark
	}
	return start + string(appendCells(nil, titles))
}

// appendCells appends a line of a CSV file (RFC 4180).
func appendCells(line []byte, cells []string) []byte {
	for i, cell := range cells {
		if i > 0 {
			line = append(line, ',')
		}
		cell = harmless(cell)
		if !strings.ContainsAny(cell, "\",\r\n") && strings.TrimSpace(cell) == cell {
			line = append(line, cell...)
			continue
		}
		line = append(line, '"')
		line = append(line, strings.ReplaceAll(cell, `"`, `""`)...)
		line = append(line, '"')
	}
	return append(line, '\r', '\n')
}

// harmless returns a cell that no spreadsheet takes for a formula: names are what patients and members say, and a formula would
// run on the machine of whoever opens the file.
func harmless(cell string) string {
	if cell != "" && strings.IndexByte("=+-@\t\r\n", cell[0]) >= 0 {
		return "'" + cell
	}
	return cell
}

// localTime shows instants in the time zone of a clinic, UTC if it has none.
type localTime struct{ zone *time.Location }

func newLocalTime(clinic *clinics.Clinic) localTime {
	zone, err := time.LoadLocation(valueOf(clinic.Timezone))
	if err != nil || zone == time.Local { // what an older writer stored is no zone
		zone = time.UTC
	}
	return localTime{zone}
}

// title returns the title of a column with instants.
func (l localTime) title(name string) string { return name + " (" + l.zone.String() + ")" }

// cell returns an instant as spreadsheets read it, "" for none.
func (l localTime) cell(at *time.Time) string {
	if at == nil || at.IsZero() {
		return ""
	}
	return at.In(l.zone).Format("2006-01-02 15:04")
}
