package api

import (
	"iter"
	"net/http"
)

// cursorList is a page, behind a cursor, of a list that is a plain array. The next cursor stands in the header.
type cursorList struct {
	next  string // "" if this is the last page
	write func(w http.ResponseWriter) error
}

// behind reads the page behind a cursor, and returns it with the next cursor, "" if there is no next page.
func behind[R, P any](cursor *pageCursor, read func(after *P) (rows iter.Seq2[R, error], next *P, err error)) (iter.Seq2[R, error], string, error) {
	after, err := readCursor[P](cursor.cursors, cursor.scope, cursor.text)
	if err != nil {
		return nil, "", err
	}
	rows, place, err := read(after)
	if place == nil || err != nil {
		return rows, "", err
	}
	next, err := newCursor(cursor.cursors, cursor.scope, place)
	return rows, next, err
}

// VisitListClinicsResponse writes the answer.
func (l cursorList) VisitListClinicsResponse(w http.ResponseWriter) error {
	if l.next != "" {
		w.Header().Set(nextCursorHeader, l.next)
	}
	err := l.write(w)
	if err != nil {
		w.Header().Del(nextCursorHeader)
	}
	return err
}

// VisitListCliniciansResponse writes the answer.
func (l cursorList) VisitListCliniciansResponse(w http.ResponseWriter) error {
	return l.VisitListClinicsResponse(w)
}

// VisitListAllCliniciansResponse writes the answer.
func (l cursorList) VisitListAllCliniciansResponse(w http.ResponseWriter) error {
	return l.VisitListClinicsResponse(w)
}

// VisitListClinicsForClinicianResponse writes the answer.
func (l cursorList) VisitListClinicsForClinicianResponse(w http.ResponseWriter) error {
	return l.VisitListClinicsResponse(w)
}

// VisitFindPatientsResponse writes the answer.
func (l cursorList) VisitFindPatientsResponse(w http.ResponseWriter) error {
	return l.VisitListClinicsResponse(w)
}

// VisitListClinicsForPatientResponse writes the answer.
func (l cursorList) VisitListClinicsForPatientResponse(w http.ResponseWriter) error {
	return l.VisitListClinicsResponse(w)
}
