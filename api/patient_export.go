package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

const (
	mimeCSV    = "text/csv"
	mimeNDJSON = "application/x-ndjson"
	// exportFlush is how much of an export is collected before it is sent. It is little, so that who has to go on later has much.
	exportFlush = 64 << 10
	// byteOrderMark tells some spreadsheets that a file is UTF-8.
	byteOrderMark = "\uFEFF"
)

// ExportPatients answers with the patients of a list as a file.
func (h *Handlers) ExportPatients(ctx context.Context, r gen.ExportPatientsRequestObject) (gen.ExportPatientsResponseObject, error) {
	parameters := requestFrom(ctx).query
	if parameters.Has("offset") {
		return nil, errCursorOffset
	}
	limit := valueOr(r.Params.Limit, math.MaxInt32)
	query, err := roster.ParseQuery(parameters, store.NewPage(nil, &limit))
	if err != nil {
		return nil, err
	}
	given := valueOf(r.Params.Cursor)
	cursor, err := h.cursorOf(patientCursors, r.ClinicId.Hex(), parameters, &given)
	if err != nil {
		return nil, err
	}
	if query, err = behindCursor(query, cursor); err != nil {
		return nil, err
	}
	clinic, err := h.services.Clinics.Get(ctx, r.ClinicId)
	if err != nil {
		return nil, err
	}
	list, err := h.services.Roster.List(ctx, r.ClinicId, query)
	if err != nil {
		return nil, err
	}
	export := patientExport{list: list, cursor: cursor, withCursors: valueOf(r.Params.Cursors)}
	if valueOf(r.Params.Format) == gen.ExportAsNDJSON {
		export.form = exportForm("patients", mimeNDJSON, ".ndjson", "")
		export.add = appendLine
		return export, nil
	}
	table := newPatientTable(clinic, valueOf(r.Params.Period))
	start := ""
	if given == "" {
		start = csvStart(valueOf(r.Params.Bom), append(table.titles(), export.cursorTitle()...))
	}
	export.form = exportForm("patients", mimeCSV+"; charset=utf-8", ".csv", start)
	export.add = table.append
	return export, nil
}

// exportForm is the form of a file. The name of the clinic is not in that of the file: it might tell about patients where files are listed.
func exportForm(name, kind, extension, start string) listForm {
	return listForm{start: start, flush: exportFlush, header: map[string]string{
		echo.HeaderContentType:        kind,
		echo.HeaderContentDisposition: `attachment; filename="` + name + "-" + time.Now().UTC().Format(time.DateOnly) + extension + `"`,
		echo.HeaderCacheControl:       "no-store",
	}}
}

// patientExport writes the patients of a list as lines.
type patientExport struct {
	list        *roster.List
	cursor      *pageCursor
	withCursors bool
	form        listForm
	add         func(line []byte, row roster.Row, cursor string) ([]byte, error)
}

func (e patientExport) cursorTitle() []string {
	if e.withCursors {
		return []string{"Cursor"}
	}
	return nil
}

// VisitExportPatientsResponse writes the file.
func (e patientExport) VisitExportPatientsResponse(w http.ResponseWriter) error {
	return writeRows(w, e.form, e.cursor.follow(e.list.Rows), func(body []byte, row roster.Row) ([]byte, error) {
		if !e.withCursors {
			return e.add(body, row, "")
		}
		cursor, err := e.cursor.next()
		if err != nil {
			return nil, err
		}
		return e.add(body, row, cursor)
	})
}

var errNoMembers = errors.New("a patient without members in JSON")

// appendLine appends a patient as a line of JSON, with the cursor as the first member unless that is "".
func appendLine(body []byte, row roster.Row, cursor string) ([]byte, error) {
	start := len(body)
	if cursor != "" {
		body = append(append(append(body, `{"cursor":"`...), cursor...), `",`...)
	}
	mark := len(body)
	body, err := appendRow(body, row)
	if err != nil {
		return nil, err
	}
	if mark > start {
		if body[mark] != '{' || body[mark+1] == '}' {
			return nil, errNoMembers
		}
		body = append(body[:mark], body[mark+1:]...)
	}
	return append(body, '\n'), nil
}
