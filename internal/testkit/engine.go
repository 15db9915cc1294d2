package testkit

import (
	"context"
	"testing"

	"github.com/tidepool-org/clinic/store"
)

// Skip ends a test that cannot run on this machine or on this engine. The report at the end of a run counts these tests and
// repeats the reasons (see test/report), so a reason says what is missing or what stands in the way.
func Skip(t testing.TB, reason string, args ...any) {
	t.Helper()
	t.Skipf("SKIPPED: "+reason, args...)
}

// NeedsTransactions skips the test on an engine that has no transactions.
func NeedsTransactions(t testing.TB) {
	t.Helper()
	if !engine(t).HasTransactions() {
		Skip(t, "needs transactions")
	}
}

// WithoutTransactions skips the test on an engine that has them. The reason says why the test means nothing there, as in
// "stages a crash between two writes that are one transaction here".
func WithoutTransactions(t testing.TB, why string) {
	t.Helper()
	if engine(t).HasTransactions() {
		Skip(t, "the engine has transactions: %s", why)
	}
}

// engine returns a connection by which one can ask what the database is.
func engine(t testing.TB) *store.Database {
	t.Helper()
	d := open(t, databasePrefix+"engine")
	t.Cleanup(func() { _ = d.Close(context.Background()) })
	return d
}
