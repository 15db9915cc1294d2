package api

import "net/http"

// cursorList is a page, behind a cursor, of a list that is a plain array. The next cursor stands in the header.
type cursorList struct {
	next  string // "" if this is the last page
	write func(w http.ResponseWriter) error
}

// behind reads the page behind a cursor, and returns the next cursor, "" if there is no next page.
func behind[P any](cursor *pageCursor, read func(after *P) (next *P, err error)) (string, error) {
	after, err := readCursor[P](cursor.cursors, cursor.scope, cursor.text)
	if err != nil {
		return "", err
	}
	next, err := read(after)
	if next == nil || err != nil {
		return "", err
	}
	return newCursor(cursor.cursors, cursor.scope, next)
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
