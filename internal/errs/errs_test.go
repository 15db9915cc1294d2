package errs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/errs"
)

var errDriver = errors.New("dial tcp db.internal:27017: refused")

func TestPublicShowsTextAndContextButNeverTheCause(t *testing.T) {
	t.Parallel()
	taken := errs.Wrap(errs.Duplicate, "duplicate: email address is already taken", errDriver)
	bare := errs.New(errs.NotFound, "clinic not found")

	tests := map[string]struct {
		err    error
		kind   errs.Kind
		public string
	}{
		"nil":               {nil, "", ""},
		"plain text":        {bare, errs.NotFound, "clinic not found"},
		"prefixed":          {errs.Duplicatef("%s is taken", "name"), errs.Duplicate, "duplicate: name is taken"},
		"cause hidden":      {taken, errs.Duplicate, "duplicate: email address is already taken"},
		"context shown":     {fmt.Errorf("unable to update custodial user: %w", taken), errs.Duplicate, "unable to update custodial user: duplicate: email address is already taken"},
		"context twice":     {fmt.Errorf("a: %w", fmt.Errorf("b: %w", bare)), errs.NotFound, "a: b: clinic not found"},
		"unknown":           {errDriver, errs.Internal, "Internal Server Error"},
		"unknown in chain":  {fmt.Errorf("reading: %w", errDriver), errs.Internal, "Internal Server Error"},
		"explicit internal": {errs.Internalf("no settings"), errs.Internal, "internal server error: no settings"},
		"outermost wins":    {errs.Wrap(errs.Constraint, "constraint violation: x", bare), errs.Constraint, "constraint violation: x"},
		"joined":            {errors.Join(errDriver, bare), errs.NotFound, "clinic not found"},
		"joined, context":   {fmt.Errorf("saving: %w", errors.Join(bare, errDriver)), errs.NotFound, "saving: clinic not found"},
		"two verbs":         {fmt.Errorf("%w: %w", bare, errDriver), errs.NotFound, "clinic not found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.kind, errs.KindOf(test.err))
			require.Equal(t, test.public, errs.Public(test.err))
			require.NotContains(t, errs.Public(test.err), "db.internal")
		})
	}
}

func TestCauseIsReachableForCodeAndLog(t *testing.T) {
	t.Parallel()
	inner := errs.Wrap(errs.Unavailable, "service unavailable", context.DeadlineExceeded)
	err := fmt.Errorf("reading user: %w", errs.Wrap(errs.Internal, "internal server error", inner))

	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t,
		"reading user: internal server error (cause: service unavailable) (cause: context deadline exceeded)",
		errs.Detail(err))
	require.Empty(t, errs.Detail(nil))
	require.Equal(t, "dial tcp db.internal:27017: refused", errs.Detail(errDriver))
}

func TestIs(t *testing.T) {
	t.Parallel()
	require.True(t, errs.Is(fmt.Errorf("x: %w", errs.NotFoundf("y")), errs.NotFound))
	require.False(t, errs.Is(errs.NotFoundf("y"), errs.Internal))
	require.True(t, errs.Is(errDriver, errs.Internal))
	require.False(t, errs.Is(nil, errs.Internal))
}

func TestPrefixedMessagesBeginWithTheirCategory(t *testing.T) {
	t.Parallel()
	made := []error{
		errs.BadRequestf("x"), errs.Unauthorizedf("x"), errs.PaymentRequiredf("x"), errs.Forbiddenf("x"),
		errs.NotFoundf("x"), errs.Duplicatef("x"), errs.Conflictf("x"), errs.Constraintf("x"), errs.NoChangef("x"),
		errs.Preconditionf("x"), errs.TooLargef("x"), errs.Unsupportedf("x"), errs.Unavailablef("x"), errs.Internalf("x"),
	}
	require.Len(t, made, len(errs.Kinds()))
	for i, kind := range errs.Kinds() {
		require.Equal(t, kind, errs.KindOf(made[i]))
		require.Equal(t, string(kind)+": x", errs.Public(made[i]))
	}
}
