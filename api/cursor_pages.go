package api

import (
	"iter"
	"net/url"

	"github.com/tidepool-org/clinic/roster"
)

// pageCursor is what a request says about cursors, and how far its answer has come.
type pageCursor struct {
	cursors *Cursors
	scope   listScope
	text    string        // as it was given
	last    *roster.Place // of the last patient who was shown and has one
}

// cursorOf returns what a request for a list says about cursors, nil if it has none. Owner tells lists of the same name apart.
func (h *Handlers) cursorOf(list, owner string, query url.Values, cursor *string) (*pageCursor, error) {
	if cursor == nil {
		return nil, nil //nolint:nilnil // pages by offset
	}
	if query.Has("offset") {
		return nil, errCursorOffset
	}
	return &pageCursor{cursors: h.services.Cursors, scope: newListScope(list, owner, query), text: *cursor}, nil
}

// follow notes how far the answer has come. A patient whose name changed while the page was read has no place, so that the page behind
// begins with whoever comes after the one before.
func (p *pageCursor) follow(rows iter.Seq2[roster.Row, error]) iter.Seq2[roster.Row, error] {
	return func(yield func(roster.Row, error) bool) {
		for row, err := range rows {
			if err == nil && row.Place != nil {
				p.last = row.Place
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// next returns the cursor of what comes behind the last patient. If nobody of a page was there any more, it is the cursor of the same page,
// on which others will be.
func (p *pageCursor) next() (string, error) {
	if p.last == nil {
		return p.text, nil
	}
	return newCursor(p.cursors, p.scope, p.last)
}
