package audit

import (
	"context"
	"time"
)

// Sweep does what is done in the background now and then.
func (t *Trail) Sweep(ctx context.Context, before time.Time) error {
	return t.moveAttempts(ctx, before)
}
