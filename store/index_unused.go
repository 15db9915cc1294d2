package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// UnknownIndex is an index of one of our collections that this service does not want.
type UnknownIndex struct {
	Collection string
	Name       string
	Unique     bool
	// Uses is how often queries used it since the time, on the server that answered; nil if the database does not tell.
	Uses  *int64
	Since time.Time
}

// UnknownIndexes returns the indexes of the collections of the sets that none of the sets names, ordered by collection and name.
func (d *Database) UnknownIndexes(ctx context.Context, sets ...Indexes) ([]UnknownIndex, error) {
	wanted := map[string]map[string]bool{}
	for _, set := range sets {
		if wanted[set.Collection] == nil {
			wanted[set.Collection] = map[string]bool{"_id_": true}
		}
		for _, index := range set.Indexes {
			wanted[set.Collection][index.Name] = true
		}
	}
	var unknown []UnknownIndex
	for collection, names := range wanted {
		existing, err := existingIndexes(ctx, d.Collection(collection))
		if err != nil {
			return nil, fmt.Errorf("indexes of %s: %w", collection, err)
		}
		for name, index := range existing {
			if !names[name] {
				unknown = append(unknown, UnknownIndex{Collection: collection, Name: name, Unique: index.Unique})
			}
		}
	}
	slices.SortFunc(unknown, func(a, b UnknownIndex) int {
		return strings.Compare(a.Collection+" "+a.Name, b.Collection+" "+b.Name)
	})
	for i := range unknown {
		if err := d.addUses(ctx, &unknown[i]); err != nil {
			return nil, err
		}
	}
	return unknown, nil
}

// addUses asks how often the index was used. Not every engine can tell.
func (d *Database) addUses(ctx context.Context, index *UnknownIndex) error {
	cursor, err := d.Collection(index.Collection).Aggregate(ctx, mongo.Pipeline{
		{{Key: "$indexStats", Value: bson.D{}}}, {{Key: "$match", Value: bson.D{{Key: "name", Value: index.Name}}}},
	})
	var found []struct {
		Accesses *struct {
			Ops   int64     `bson:"ops"`
			Since time.Time `bson:"since"`
		} `bson:"accesses"`
	}
	if err == nil {
		err = cursor.All(ctx, &found)
	}
	var refused mongo.CommandError
	if errors.As(err, &refused) {
		return nil
	}
	for _, shard := range found {
		if shard.Accesses == nil {
			continue
		}
		if index.Uses == nil {
			index.Uses = new(int64)
		}
		*index.Uses += shard.Accesses.Ops
		if shard.Accesses.Since.After(index.Since) {
			index.Since = shard.Accesses.Since
		}
	}
	return err
}

// DropIndex removes an index.
func (d *Database) DropIndex(ctx context.Context, collection, name string) error {
	return d.Collection(collection).Indexes().DropOne(ctx, name)
}
