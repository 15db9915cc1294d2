package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"

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
	list, err := h.services.Roster.List(ctx, r.ClinicId, query)
	if err != nil {
		return nil, err
	}
	return patientListResponse{list}, nil
}

// patientListResponse writes a list while it is being read, so that a page of any length takes little memory.
type patientListResponse struct{ list *roster.List }

// flushSize is how much of an answer is collected before it is sent. Until then an error can still be answered as such.
const flushSize = 1 << 20

// bodies are the buffers of answers. Making one anew for each answer would be most of the garbage.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// VisitListPatientsResponse writes the answer.
func (p patientListResponse) VisitListPatientsResponse(w http.ResponseWriter) error {
	buffer := bodies.Get().(*[]byte) //nolint:errcheck // the pool holds nothing else
	defer bodies.Put(buffer)
	body := append((*buffer)[:0], `{"data":[`...)
	defer func() { *buffer = body }()
	sent, first := false, true
	for row, err := range p.list.Rows {
		if !first {
			body = append(body, ',')
		}
		first = false
		if err == nil {
			body, err = appendRow(body, &row)
		}
		if err == nil && len(body) >= flushSize {
			sent, err = true, send(w, sent, body)
			body = body[:0]
		}
		if err != nil {
			return broken(sent, err)
		}
	}
	body = append(body, `],"meta":{"count":`...)
	body = strconv.AppendInt(body, int64(p.list.Count), 10)
	body = append(body, `,"totalCount":`...)
	body = strconv.AppendInt(body, int64(p.list.Total), 10)
	body = append(body, "}}\n"...)
	return send(w, sent, body)
}

func send(w http.ResponseWriter, sent bool, body []byte) error {
	if !sent {
		w.Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		w.WriteHeader(http.StatusOK)
	}
	_, err := w.Write(body)
	return err
}

// cutOff is what a handler panics with when it has to cut its answer off.
type cutOff struct{ cause error }

// broken returns the error to be answered. When a part of the answer has been sent already, it cuts the connection instead,
// so that nobody takes the part for the whole.
func broken(sent bool, err error) error {
	if sent {
		panic(cutOff{err})
	}
	return err
}

// patientResponse is the answer that shows one patient.
type patientResponse struct{ row roster.Row }

// VisitGetPatientResponse writes the answer.
func (p patientResponse) VisitGetPatientResponse(w http.ResponseWriter) error {
	buffer := bodies.Get().(*[]byte) //nolint:errcheck // the pool holds nothing else
	defer bodies.Put(buffer)
	body, err := appendRow((*buffer)[:0], &p.row)
	if err != nil {
		return err
	}
	*buffer = append(body, '\n')
	return send(w, false, *buffer)
}

// appendRow appends a patient of a list, as patientWire shows it.
func appendRow(body []byte, row *roster.Row) ([]byte, error) {
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
