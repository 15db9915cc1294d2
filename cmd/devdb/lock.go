package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// takeTurn waits until nobody else sets up or stops a database in this cache: `make run` and `make test` may be started
// together. The lock goes with the process, however that ends, so a lock file that lies about locks nobody out. Servers do
// not inherit it, because Go closes files in the processes that it starts.
func takeTurn(ctx context.Context, cache string, patience time.Duration) (func(), error) {
	if err := os.MkdirAll(cache, 0o755); err != nil { //nolint:gosec // PostgreSQL's user has to pass through
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // in the cache
	if err != nil {
		return nil, err
	}
	take := func() bool { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil }
	if !take() {
		say("waiting for another scripts/database to finish ...")
		if !until(ctx, patience, take) {
			_ = file.Close() // it holds no lock
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("another scripts/database has been at work for %s; giving up", patience)
		}
	}
	return func() { _ = file.Close() }, nil // which gives the lock back
}
