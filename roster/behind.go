package roster

import (
	"context"
	"errors"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
)

var errUnsettled = errs.New(errs.Unavailable, "the list changes too fast: try again")

// behind returns the page behind a place, with the places of its rows. Who stays where they are stands on exactly one page, whoever
// comes, goes or moves meanwhile.
func (s *Service) behind(ctx context.Context, clinicID bson.ObjectID, query Query) (*List, error) {
	if !query.selection.reviewed {
		list, err := s.tabledBehind(ctx, clinicID, query)
		if !errors.Is(err, errTooLarge) {
			return list, err
		}
	}
	for range rankings {
		page, err := s.rankedBehind(ctx, query.filter(clinicID), query)
		if err != nil {
			return nil, err
		}
		if page == nil {
			continue
		}
		if page.total, err = s.totals.count(ctx, clinicID); err != nil {
			return nil, err
		}
		return page.list(s.byIDs(ctx, page.ids), func([]bson.ObjectID) {}), nil
	}
	return nil, errUnsettled
}

// list returns the page as it is handed out. Renamed is told who was read under another name than chosen by.
func (c *chosen) list(rows iter.Seq2[Row, error], renamed func([]bson.ObjectID)) *List {
	return &List{Count: c.count, Total: c.total, More: c.more, chosen: c, Rows: func(yield func(Row, error) bool) {
		for row, err := range rows {
			if err == nil {
				if row.Place = c.place(row); row.Place == nil {
					renamed([]bson.ObjectID{row.Patient.ID})
				}
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}}
}

// tabledBehind lets the table of the clinic choose, as tabled does.
func (s *Service) tabledBehind(ctx context.Context, clinicID bson.ObjectID, query Query) (*List, error) {
	t := s.tables.of(clinicID)
	var page *chosen
	rows, err := s.checked(ctx, t, query, func() (_ []bson.ObjectID, err error) {
		if page, err = t.chooseBehind(ctx, query); err != nil {
			return nil, err
		}
		return page.ids, nil
	})
	if err != nil {
		return nil, err
	}
	return page.list(rows, t.suspect), nil
}

// chooseBehind brings the table up to date, and chooses the page. It returns errTooLarge if the table never has what it takes.
func (t *table) chooseBehind(ctx context.Context, query Query) (*chosen, error) {
	for range rankings {
		if err := t.refresh(ctx, query.needs()); err != nil {
			return nil, err
		}
		start := &nameStart{}
		if query.order.collated {
			var err error
			start, err = t.owner.reads.findStart(ctx, query, bson.D{{Key: "clinicId", Value: t.clinicID}}, t.nameOf)
			if err != nil {
				return nil, err
			}
		}
		if start == nil {
			continue
		}
		t.mu.RLock()
		page, err := t.contents.pageBehind(query, start)
		t.mu.RUnlock()
		if err != nil || page != nil {
			return page, err
		}
	}
	return nil, errTooLarge
}

// nameOf returns the name of a patient as the table knows it; ok is false if it does not know it, or not where it belongs.
func (t *table) nameOf(id bson.ObjectID) (name uint64, kind nameKind, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	slot, ok := t.contents.slots[id]
	if !ok || t.contents.rows[slot].updated == movedMeanwhile {
		return 0, noName, false
	}
	return t.contents.rows[slot].name, t.contents.rows[slot].kind, true
}

// pageBehind chooses a page; nil if something is missing for it.
func (c *contents) pageBehind(q Query, start *nameStart) (*chosen, error) {
	finds, ok := c.finder(q)
	if !ok {
		return nil, nil //nolint:nilnil // a column is missing
	}
	var page *chosen
	if q.order.collated {
		list, ok := c.byName[q.order.direction]
		if !ok {
			return nil, nil //nolint:nilnil // the order is missing
		}
		start.texts = c.kinds[textName]
		page = q.behindNames(func(yield func(named) bool) {
			for _, slot := range list.slots {
				found, exact := finds(slot)
				if row := &c.rows[slot]; !yield(named{id: row.id, name: row.name, kind: row.kind, found: found, exact: exact}) {
					return
				}
			}
		}, start)
	} else {
		ranks, ok := c.ranked(q.order, finds)
		if !ok {
			return nil, nil //nolint:nilnil // a column is missing
		}
		after := q.after.rank()
		if after != nil && q.after.Bound {
			slot, ok := c.slots[q.after.ID]
			if !ok {
				return nil, errPlaceGone
			}
			rankOf, _ := c.ranks(q.order)
			*after = rankOf(slot)
			after.exact = q.after.Exact
		}
		page = q.behindValues(ranks, after)
	}
	if page != nil {
		page.total = len(c.slots)
	}
	return page, nil
}

// rankedBehind chooses from what is read of all patients whom the filter finds; nil if they changed in between.
func (s *Service) rankedBehind(ctx context.Context, filter bson.D, q Query) (*chosen, error) {
	if q.order.collated {
		return s.rankedByName(ctx, filter, q)
	}
	after, seek := q.after.rank(), newSeek(q.people)
	if after != nil && q.after.Bound {
		record, err := s.collection.FindOne(ctx, append(bson.D{{Key: "_id", Value: q.after.ID}}, filter...), options.FindOne().SetProjection(q.order.projection())).Raw()
		if err != nil {
			return nil, store.OneOf(err, errPlaceGone, nil)
		}
		*after = q.order.rank(record)
		after.exact = q.after.Exact
	}
	cursor, err := s.collection.Find(ctx, filter, options.Find().SetProjection(seek.projection(q.order.projection())).SetBatchSize(rankBatch))
	var failed error
	page := q.behindValues(func(yield func(rank) bool) {
		for record, err := range store.Documents[bson.Raw](ctx, cursor, err) {
			if failed = err; err != nil {
				return
			}
			found, exact := seek.meets(record)
			if !found {
				continue
			}
			r := q.order.rank(record)
			r.exact = exact
			if !yield(r) {
				return
			}
		}
	}, after)
	return page, failed
}

func (s *Service) rankedByName(ctx context.Context, filter bson.D, q Query) (*chosen, error) {
	seek := newSeek(q.people)
	cursor, err := s.inNameOrder(ctx, filter, q, seek.projection(bson.D{{Key: "fullName", Value: 1}}))
	var rows []named
	places := map[bson.ObjectID]int{}
	texts := 0
	for record, err := range store.Documents[bson.Raw](ctx, cursor, err) {
		if err != nil {
			return nil, err
		}
		row := named{id: idOf(record)}
		row.found, row.exact = seek.meets(record)
		row.name, row.kind = nameOf(record)
		if row.kind == textName {
			texts++
		}
		places[row.id] = len(rows)
		rows = append(rows, row)
	}
	start, err := s.tables.reads.findStart(ctx, q, filter, func(id bson.ObjectID) (uint64, nameKind, bool) {
		place, ok := places[id]
		if !ok {
			return 0, noName, false
		}
		return rows[place].name, rows[place].kind, true
	})
	if start == nil || err != nil {
		return nil, err
	}
	start.texts = texts
	return q.behindNames(func(yield func(named) bool) {
		for _, row := range rows {
			if !yield(row) {
				return
			}
		}
	}, start), nil
}
