package api

import (
	"encoding/json"
	"iter"
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/store"
)

// Lists are written while they are being read, so that a page of any length takes little memory.
type (
	clinicList        iter.Seq2[gen.ClinicV1, error]
	clinicianList     iter.Seq2[gen.ClinicianV1, error]
	membershipList    iter.Seq2[gen.ClinicianClinicRelationshipV1, error]
	patientClinicList iter.Seq2[patientOfClinic, error]
)

// VisitListClinicsResponse writes the answer.
func (l clinicList) VisitListClinicsResponse(w http.ResponseWriter) error {
	return writeList(w, "[", iter.Seq2[gen.ClinicV1, error](l), appendJSON, "]")
}

// VisitListCliniciansResponse writes the answer.
func (l clinicianList) VisitListCliniciansResponse(w http.ResponseWriter) error {
	return writeList(w, "[", iter.Seq2[gen.ClinicianV1, error](l), appendJSON, "]")
}

// VisitListClinicsForClinicianResponse writes the answer.
func (l membershipList) VisitListClinicsForClinicianResponse(w http.ResponseWriter) error {
	return writeList(w, "[", iter.Seq2[gen.ClinicianClinicRelationshipV1, error](l), appendJSON, "]")
}

// VisitListAllCliniciansResponse writes the answer.
func (l membershipList) VisitListAllCliniciansResponse(w http.ResponseWriter) error {
	return l.VisitListClinicsForClinicianResponse(w)
}

// VisitFindPatientsResponse writes the answer.
func (l patientClinicList) VisitFindPatientsResponse(w http.ResponseWriter) error {
	return writeList(w, "[", iter.Seq2[patientOfClinic, error](l), appendPatientOfClinic, "]")
}

// VisitListClinicsForPatientResponse writes the answer.
func (l patientClinicList) VisitListClinicsForPatientResponse(w http.ResponseWriter) error {
	return l.VisitFindPatientsResponse(w)
}

// rowsAtOnce is how many rows of a list are looked up together.
const rowsAtOnce = 100

// batched yields what show makes of the rows of a list, many at once.
func batched[R, W any](rows iter.Seq2[R, error], show func([]R) ([]W, error)) iter.Seq2[W, error] {
	return func(yield func(W, error) bool) {
		var none W
		for batch, err := range store.Batches(rows, rowsAtOnce) {
			var shown []W
			if err == nil {
				shown, err = show(batch)
			}
			if err != nil {
				yield(none, err)
				return
			}
			for _, row := range shown {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// flushSize is how much of an answer is collected before it is sent. Until then an error can still be answered as such.
const flushSize = 1 << 20

// bodies are the buffers of answers. Making one anew for each answer would be most of the garbage.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// listForm is what an answer has beside its rows.
type listForm struct {
	header         map[string]string
	start, between string
	end            func() (string, error) // asked when all rows are written; nil for nothing
	flush          int                    // as flushSize
}

// writeList writes a list with what comes before and after it.
func writeList[T any](w http.ResponseWriter, start string, rows iter.Seq2[T, error], add func([]byte, T) ([]byte, error), end string) error {
	return writeRows(w, jsonList(start, func() (string, error) { return end, nil }), rows, add)
}

// jsonList is the form of a list in JSON; start and end include the brackets.
func jsonList(start string, end func() (string, error)) listForm {
	return listForm{header: map[string]string{echo.HeaderContentType: echo.MIMEApplicationJSON}, start: start, between: ",", flush: flushSize, end: func() (string, error) {
		text, err := end()
		return text + "\n", err
	}}
}

// writeRows writes an answer while its rows are being read.
func writeRows[T any](w http.ResponseWriter, form listForm, rows iter.Seq2[T, error], add func([]byte, T) ([]byte, error)) error {
	buffer := bodies.Get().(*[]byte) //nolint:errcheck // the pool holds nothing else
	defer bodies.Put(buffer)
	body := append((*buffer)[:0], form.start...)
	defer func() { *buffer = body }()
	sent, first := false, true
	for row, err := range rows {
		if !first {
			body = append(body, form.between...)
		}
		first = false
		if err == nil {
			body, err = add(body, row)
		}
		if err == nil && len(body) >= form.flush {
			sent, err = true, sendAs(w, form.header, sent, body)
			body = body[:0]
		}
		if err != nil {
			return broken(sent, err)
		}
	}
	if form.end != nil {
		end, err := form.end()
		if err != nil {
			return broken(sent, err)
		}
		body = append(body, end...)
	}
	return sendAs(w, form.header, sent, body)
}

func appendJSON[T any](body []byte, row T) ([]byte, error) {
	encoded, err := json.Marshal(row)
	return append(body, encoded...), err
}

func send(w http.ResponseWriter, sent bool, body []byte) error {
	return sendAs(w, map[string]string{echo.HeaderContentType: echo.MIMEApplicationJSON}, sent, body)
}

// sendAs sends a part of an answer, before the first one with the header.
func sendAs(w http.ResponseWriter, header map[string]string, sent bool, body []byte) error {
	if !sent {
		for name, value := range header {
			w.Header().Set(name, value)
		}
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
