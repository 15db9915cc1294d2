package roster

import (
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// Indexes returns the indexes that reading many patients needs, beside those of package patients.
func Indexes() []store.Indexes {
	return []store.Indexes{{Collection: patients.CollectionName, Indexes: append(ehrIndexes(), listIndexes()...)}}
}
