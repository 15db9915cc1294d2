package patients

import "time"

// KeepTotals sets for how long a count of the patients of a clinic is kept when nothing speaks against it.
func (l *Lists) KeepTotals(d time.Duration) { l.totals.maxAge = d }
