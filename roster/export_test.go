package roster

import "time"

// KeepTotals sets for how long a count of the patients of a clinic is kept when nothing speaks against it.
func (s *Service) KeepTotals(d time.Duration) { s.totals.maxAge = d }
