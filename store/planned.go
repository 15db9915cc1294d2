package store

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Plan says what a repeatable request makes: the id of the new thing, or the time by which the effect can be found. A request
// that takes the work of another one up has the same plan, so that the same write cannot be made twice.
type Plan struct {
	ID   bson.ObjectID
	Time time.Time // in milliseconds
}

type planKey struct{}

// WithPlan returns a context for work according to the plan.
func WithPlan(ctx context.Context, plan Plan) context.Context {
	return context.WithValue(ctx, planKey{}, plan)
}

// NewID returns the id of the one thing that a request makes: that of the plan, or a new one.
func NewID(ctx context.Context) bson.ObjectID {
	if plan, ok := ctx.Value(planKey{}).(Plan); ok {
		return plan.ID
	}
	return bson.NewObjectID()
}

// EffectTime is Now, or the time of the plan.
func EffectTime(ctx context.Context) time.Time {
	if plan, ok := ctx.Value(planKey{}).(Plan); ok {
		return plan.Time
	}
	return Now()
}

// UpdateTime returns the updatedTime of the write that has an effect of this time: the same, or, since a plan may be old and who
// follows changes looks for new ones, Now.
func UpdateTime(ctx context.Context, effect time.Time) time.Time {
	if IsPlanned(ctx) {
		return Now()
	}
	return effect
}

// IsPlanned reports whether the work may be that of an earlier request, which left a part of it.
func IsPlanned(ctx context.Context) bool {
	_, ok := ctx.Value(planKey{}).(Plan)
	return ok
}

// UnlessMade returns the error of an insert, but nil if an earlier request with the same plan has made what is inserted.
func UnlessMade(ctx context.Context, err error) error {
	if IsPlanned(ctx) && IsDuplicate(err) {
		return nil
	}
	return err
}
