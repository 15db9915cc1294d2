package audit

import (
	"context"
	"time"
)

// atOnce is how many are written together at most.
const atOnce = 500

// together hands what arrives in the queue to write, as much as comes at about the same time at once: until the context ends, and
// then what is left. The first waits for others for the time given, while more are expected beside the number that came.
func together[T any](ctx context.Context, queue <-chan T, rest time.Duration, expects func(came int) bool, write func(all []T)) {
	for {
		select {
		case first := <-queue:
			write(gather(ctx, queue, first, rest, expects))
		case <-ctx.Done():
			for len(queue) > 0 {
				write(gather(ctx, queue, <-queue, rest, expects))
			}
			return
		}
	}
}

func gather[T any](ctx context.Context, queue <-chan T, first T, rest time.Duration, expects func(came int) bool) []T {
	all := []T{first}
	soon := time.NewTimer(rest)
	defer soon.Stop()
	for len(all) < atOnce && (len(queue) > 0 || ctx.Err() == nil && expects(len(all))) {
		select {
		case next := <-queue:
			all = append(all, next)
		case <-soon.C:
			return all
		case <-ctx.Done(): // what waits already is taken all the same
		}
	}
	return all
}
