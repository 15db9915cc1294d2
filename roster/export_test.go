package roster

import (
	"context"
	"time"
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

// ForgetTables gives up all tables.
func (s *Service) ForgetTables() {
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	clear(s.tables.kept)
	s.tables.bytes = 0
}
