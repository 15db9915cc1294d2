package main

import (
	"context"
	"fmt"
	"net/http"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// pair is two clinics that are merged. One patient of five of each is in the other too.
type pair struct{ source, target *stage }

// make stores the clinics, under ids that no run had before.
func (p *pair) make(ctx context.Context, d *store.Database, number int) error {
	half := number / 2
	p.source, p.target = newStage(bson.NewObjectID(), "be0ffffff2", 0, half), newStage(bson.NewObjectID(), "be0ffffff3", half-half/5, half)
	for _, s := range []*stage{p.source, p.target} {
		if err := s.insert(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// drop removes what is left of the clinics.
func (p *pair) drop(ctx context.Context, d *store.Database) error {
	for _, s := range []*stage{p.source, p.target} {
		for collection, field := range map[string]string{patients.CollectionName: "clinicId", clinicians.CollectionName: "clinicId", clinics.CollectionName: "_id"} {
			if _, err := d.Collection(collection).DeleteMany(ctx, bson.D{{Key: field, Value: s.clinicID}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// mergeByService merges two clinics that are made for it.
func (b *bench) mergeByService() work {
	var p pair
	return work{
		prepare: func(ctx context.Context) error { return p.make(ctx, b.database, b.number) },
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
		prepare: func(ctx context.Context) error { return p.make(ctx, b.database, b.number) },
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
