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
	list, err := h.services.Roster.List(ctx, r.ClinicId, query)
	if err != nil {
		return nil, err
	}
	return patientListResponse{list}, nil
}

// patientListResponse writes a list while it is being read, so that a page of any length takes little memory.
type patientListResponse struct{ list *roster.List }

// VisitListPatientsResponse writes the answer.
func (p patientListResponse) VisitListPatientsResponse(w http.ResponseWriter) error {
	end := fmt.Sprintf(`],"meta":{"count":%d,"totalCount":%d}}`, p.list.Count, p.list.Total)
	return writeList(w, `{"data":[`, p.list.Rows, appendRow, end)
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
