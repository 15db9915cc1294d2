package api

import (
	"maps"
	"slices"
)

// AuditedOperations returns the ids of operations that the audit trail treats in a way of their own.
func AuditedOperations() []string {
	return slices.Concat(slices.Collect(maps.Keys(changing)), slices.Collect(maps.Keys(unchanging)), slices.Collect(maps.Keys(exports)))
}
