package roster

import (
	"context"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// KeepTotals sets for how long a count of the patients of a clinic is kept when nothing speaks against it.
func (s *Service) KeepTotals(d time.Duration) { s.totals.maxAge = d }

// Overlook makes tables miss what is written.
func (s *Service) Overlook() { s.tables.overlap = -time.Hour }

// LimitTables sets how many bytes tables may take.
func (s *Service) LimitTables(bytes int) { s.tables.max = bytes }

// TideByQuery returns the report as the database alone gives it.
func (s *Service) TideByQuery(ctx context.Context, query TideQuery) (TideReport, error) {
	return s.tideByQuery(ctx, query)
}

// FindBehindWhile is FindBehind for the first page, but that something happens between choosing it and reading where it ends.
func (s *Service) FindBehindWhile(ctx context.Context, clinicIDs []bson.ObjectID, limit int, happens func()) (iter.Seq2[Row, error], *Place, error) {
	query := Query{order: nameOrder(1), page: store.Page{Limit: limit}}.Behind(nil)
	return s.ending(ctx, func() (*chosen, iter.Seq2[Row, error], error) {
		page, rows, err := s.foundBy(ctx, identified(clinicIDs, "", ""), query)
		happens()
		return page, rows, err
	})
}

// ForgetTables gives up all tables.
func (s *Service) ForgetTables() {
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	clear(s.tables.kept)
	s.tables.bytes = 0
}
