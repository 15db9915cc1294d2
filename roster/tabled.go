package roster

import (
	"context"
	"iter"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// rankings is how often a page is chosen again because a record of it is not what the table says.
const rankings = 4

// tabled returns a page that the table of the clinic chooses, or errTooLarge.
func (s *Service) tabled(ctx context.Context, clinicID bson.ObjectID, query Query) (*List, error) {
	t := s.tables.of(clinicID)
	var list *List
	rows, err := s.checked(ctx, t, query, func() (ids []bson.ObjectID, err error) {
		ids, list, err = t.choose(ctx, query)
		return ids, err
	})
	if err != nil {
		return nil, err
	}
	list.Rows = rows
	return list, nil
}

// checked returns the patients of a page that the table chooses.
//
// The records of the page are held against the table. Who is gone, or was changed in a way that only this shows, makes the table be
// brought up to date, and the page be chosen once more.
func (s *Service) checked(ctx context.Context, t *table, query Query, choose func() ([]bson.ObjectID, error)) (iter.Seq2[Row, error], error) {
	for round := 1; ; round++ {
		ids, err := choose()
		if err != nil {
			return nil, err
		}
		records, doubtful, err := s.compare(ctx, t, query, ids)
		if err != nil {
			return nil, err
		}
		if len(doubtful) > 0 && round < rankings {
			t.suspect(doubtful)
			continue
		}
		if records == nil {
			return s.byIDs(ctx, ids), nil
		}
		return s.rowsOf(ids, records), nil
	}
}

// choose brings the table up to date, and returns the ids of the page and the list without its rows.
func (t *table) choose(ctx context.Context, query Query) ([]bson.ObjectID, *List, error) {
	var ids []bson.ObjectID
	var list List
	err := t.read(ctx, query.needs(), func(c *contents) (ok bool) {
		list.Total = len(c.slots)
		ids, list.Count, ok = c.page(query)
		return ok
	})
	return ids, &list, err
}

// read brings the table up to date with what is needed, and lets it be read; the reader says whether all was there. It returns
// errTooLarge if columns that it needs always have to make room for others.
func (t *table) read(ctx context.Context, need needs, reader func(c *contents) bool) error {
	for range rankings {
		if err := t.refresh(ctx, need); err != nil {
			return err
		}
		t.mu.RLock()
		ok := reader(t.contents)
		t.mu.RUnlock()
		if ok {
			return nil
		}
	}
	return errTooLarge
}

// compare reads the records of the page, and returns whose record the table does not know as it is. The records of a large page are
// not kept.
func (s *Service) compare(ctx context.Context, t *table, query Query, ids []bson.ObjectID) (map[bson.ObjectID]bson.Raw, []bson.ObjectID, error) {
	paths := query.paths()
	var doubtful []bson.ObjectID
	if len(ids) <= rowBatch {
		records, err := s.records(ctx, ids)
		return records, t.doubtful(ids, records, paths), err
	}
	for batch := range slices.Chunk(ids, loadBatch) {
		found, _, err := t.owner.reads.again(ctx, t.clinicID, batch, projectionOf(paths))
		if err != nil {
			return nil, nil, err
		}
		doubtful = append(doubtful, t.doubtful(batch, byID(found), paths)...)
	}
	return nil, doubtful, nil
}

func (t *table) doubtful(ids []bson.ObjectID, records map[bson.ObjectID]bson.Raw, paths []string) []bson.ObjectID {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var doubtful []bson.ObjectID
	for _, id := range ids {
		record, ok := records[id]
		owner, shown := lookup(record, "clinicId").ObjectIDOK()
		if !ok || shown && owner != t.clinicID || !t.contents.agrees(record, paths) {
			doubtful = append(doubtful, id)
		}
	}
	return doubtful
}
