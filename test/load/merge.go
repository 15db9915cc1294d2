package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// pair is two clinics that are merged. One patient of five of each is in the other too.
type pair struct{ source, target *stage }

// make stores the clinics, under ids that no run had before.
func (p *pair) make(ctx context.Context, b *bench) error {
	half := b.number / 2
	p.source, p.target = newStage(bson.NewObjectID(), "be0ffffff2", 0, half), newStage(bson.NewObjectID(), "be0ffffff3", half-half/5, half)
	p.source.name, p.target.name = "the clinic to be merged", "the clinic to merge it into"
	for _, s := range []*stage{p.source, p.target} {
		if err := s.insert(ctx, b.database, b.inserters); err != nil {
			return err
		}
	}
	return nil
}

// drop removes what is left of the clinics.
func (p *pair) drop(ctx context.Context, d *store.Database) error {
	return errors.Join(p.source.drop(ctx, d), p.target.drop(ctx, d))
}

// mergeByService merges two clinics that are made for it.
func (b *bench) mergeByService() work {
	var p pair
	return work{
		prepare: func(ctx context.Context) error { return p.make(ctx, b) },
		do: func(ctx context.Context, _ int) error {
			path := fmt.Sprintf("/v1/clinics/%s/merge", p.target.clinicID.Hex())
			return b.do(ctx, serverToken, http.MethodPost, path, fmt.Appendf(nil, `{"sourceId":%q}`, p.source.clinicID.Hex()))
		},
		finish: func(ctx context.Context) error { return p.drop(ctx, b.database) },
	}
}

// moveByDriver is the least that a merge writes: the patients of the source who are not in the target move, the others go.
func (b *bench) moveByDriver() work {
	var p pair
	return work{
		prepare: func(ctx context.Context) error { return p.make(ctx, b) },
		do: func(ctx context.Context, _ int) error {
			both := bson.D{{Key: "clinicId", Value: p.source.clinicID}, {Key: "userId", Value: bson.D{{Key: "$gte", Value: userID(p.target.first)}}}}
			if _, err := b.patients.DeleteMany(ctx, both); err != nil {
				return err
			}
			_, err := b.patients.UpdateMany(ctx, both[:1], bson.D{{Key: "$set", Value: bson.D{
				{Key: "clinicId", Value: p.target.clinicID}, {Key: "tags", Value: p.target.tags[:1]}, {Key: "updatedTime", Value: store.Now()},
			}}})
			return err
		},
		finish: func(ctx context.Context) error { return p.drop(ctx, b.database) },
	}
}
