package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// ListPatients answers with a page of the patients of a clinic.
func (h *Handlers) ListPatients(ctx context.Context, r gen.ListPatientsRequestObject) (gen.ListPatientsResponseObject, error) {
	query, err := roster.ParseQuery(requestFrom(ctx).query, store.NewPage(r.Params.Offset, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	cursor, err := h.cursorOf(patientCursors, r.ClinicId.Hex(), requestFrom(ctx).query, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	query, err = behindCursor(query, cursor)
	if err != nil {
		return nil, err
	}
	list, err := h.services.Roster.List(ctx, r.ClinicId, query)
	if err != nil {
		return nil, err
	}
	return patientListResponse{list, cursor}, nil
}

// patientCursors are the cursors of lists and exports of patients.
const patientCursors = "patients"

// behindCursor returns the query for the page behind a cursor; nil means pages by offset.
func behindCursor(query roster.Query, cursor *pageCursor) (roster.Query, error) {
	if cursor == nil {
		return query, nil
	}
	place, err := readCursor[roster.Place](cursor.cursors, cursor.scope, cursor.text)
	return query.Behind(place), err
}

// patientListResponse writes a list while it is being read, so that a page of any length takes little memory.
type patientListResponse struct {
	list   *roster.List
	cursor *pageCursor // nil if pages are told by offset
}

// VisitListPatientsResponse writes the answer.
func (p patientListResponse) VisitListPatientsResponse(w http.ResponseWriter) error {
	rows, end := p.list.Rows, ""
	if p.cursor != nil {
		rows = p.cursor.follow(rows)
	}
	return writeRows(w, jsonList(`{"data":[`, func() (string, error) {
		if p.cursor != nil && p.list.More {
			next, err := p.cursor.next()
			if err != nil {
				return "", err
			}
			end = fmt.Sprintf(`,"nextCursor":"%s"`, next)
		}
		return fmt.Sprintf(`],"meta":{"count":%d,"totalCount":%d%s}}`, p.list.Count, p.list.Total, end), nil
	}), rows, appendRow)
}

// patientResponse is the answer that shows one patient.
type patientResponse struct{ row roster.Row }

// VisitGetPatientResponse writes the answer.
func (p patientResponse) VisitGetPatientResponse(w http.ResponseWriter) error {
	buffer := bodies.Get().(*[]byte) //nolint:errcheck // the pool holds nothing else
	defer bodies.Put(buffer)
	body, err := appendRow((*buffer)[:0], p.row)
	if err != nil {
		return err
	}
	*buffer = append(body, '\n')
	return send(w, false, *buffer)
}

// appendRow appends a patient of a list, as patientWire shows it.
func appendRow(body []byte, row roster.Row) ([]byte, error) {
	encoded, err := json.Marshal(patientWire(&row.Patient))
	if err != nil || !row.Summary.Exists() {
		return append(body, encoded...), err
	}
	body = append(body, encoded[:len(encoded)-1]...) // there are other members: some are always present
	body = append(body, `,"summary":`...)
	if body, err = row.Summary.AppendJSON(body); err != nil {
		return nil, err
	}
	return append(body, '}'), nil
}
