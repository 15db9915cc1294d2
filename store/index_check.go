package store

import (
	"context"
	"fmt"
)

// IndexState says what is found in the database of an index that is wanted.
type IndexState struct {
	Collection string
	Name       string
	Problem    string // "" if it is there with the right keys
}

// CheckIndexes returns the state of each index. It makes none.
func (d *Database) CheckIndexes(ctx context.Context, sets ...Indexes) ([]IndexState, error) {
	var states []IndexState
	for _, set := range sets {
		existing, err := existingIndexes(ctx, d.Collection(set.Collection))
		if err != nil {
			return nil, fmt.Errorf("indexes of %s: %w", set.Collection, err)
		}
		for _, index := range set.Indexes {
			state := IndexState{Collection: set.Collection, Name: index.Name}
			switch keys, ok := existing[index.Name]; {
			case !ok:
				state.Problem = "missing"
			case !sameKeys(keys, index.Keys):
				state.Problem = "has other keys"
			}
			states = append(states, state)
		}
	}
	return states, nil
}
