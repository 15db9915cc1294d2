package clinicians

import "slices"

// newRoles returns how the wanted roles are stored for a member who has the given ones, and whether they differ. The order
// of roles means nothing. COMPAT: lists of the same length are stored sorted, others as they were sent.
func newRoles(stored, wanted []string) (roles []string, changed bool) {
	before, after := slices.Sorted(slices.Values(stored)), slices.Sorted(slices.Values(wanted))
	changed = !slices.Equal(before, after)
	if len(before) == len(after) {
		return after, changed
	}
	return wanted, changed
}
