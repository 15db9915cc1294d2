package api

import (
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parts remembers how long each part of an answer was, and how many rows had been read by then.
type parts struct {
	*httptest.ResponseRecorder

	read    *int
	sizes   []int
	rowsAt  []int
	refuses bool
}

func (p *parts) Write(part []byte) (int, error) {
	if p.refuses {
		return 0, errors.New("the caller has gone")
	}
	p.sizes, p.rowsAt = append(p.sizes, len(part)), append(p.rowsAt, *p.read)
	return p.ResponseRecorder.Write(part)
}

// counted yields rows of 10,000 bytes, and counts how many were taken.
func counted(rows int, read *int, last error) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for range rows {
			*read++
			if !yield(strings.Repeat("x", 10_000), nil) {
				return
			}
		}
		if last != nil {
			yield("", last)
		}
	}
}

// TestAListHoldsNoMoreThanAPart reads 500 rows of 10,000 bytes, which are looked up together by the hundred.
func TestAListHoldsNoMoreThanAPart(t *testing.T) {
	t.Parallel()
	const rows = 500
	same := func(batch []string) ([]string, error) { return batch, nil }
	read := 0
	answer := &parts{ResponseRecorder: httptest.NewRecorder(), read: &read}
	require.NoError(t, writeList(answer, "[", batched(counted(rows, &read, nil), same), appendJSON, "]"))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, rows, strings.Count(answer.Body.String(), strings.Repeat("x", 10_000)))
	require.True(t, strings.HasSuffix(answer.Body.String(), "\"]\n"))
	require.Len(t, answer.sizes, 5)
	sent := 0
	for i, size := range answer.sizes {
		require.LessOrEqual(t, size, flushSize+20_000)
		sent += size
		require.LessOrEqual(t, answer.rowsAt[i]-sent/10_003, 2*rowsAtOnce, "rows are read only when they are needed")
	}

	empty := httptest.NewRecorder()
	require.NoError(t, writeList(empty, "[", batched(counted(0, &read, nil), same), appendJSON, "]"))
	require.Equal(t, "[]\n", empty.Body.String())
}

// TestAListThatBreaksIsNoWholeOne: an error is answered as one while nothing is sent, and cuts the answer off later.
func TestAListThatBreaksIsNoWholeOne(t *testing.T) {
	t.Parallel()
	read, broken := 0, errors.New("the database is gone")
	same := func(batch []string) ([]string, error) { return batch, nil }
	first := httptest.NewRecorder()
	require.ErrorIs(t, writeList(first, "[", batched(counted(1, &read, broken), same), appendJSON, "]"), broken)
	require.Empty(t, first.Body.String())
	require.PanicsWithValue(t, cutOff{broken}, func() {
		_ = writeList(httptest.NewRecorder(), "[", batched(counted(300, &read, broken), same), appendJSON, "]")
	})
	require.ErrorIs(t, writeList(httptest.NewRecorder(), "[", batched(counted(3, &read, nil), func([]string) ([]string, error) { return nil, broken }), appendJSON, "]"), broken)

	read = 0
	require.Panics(t, func() {
		_ = writeList(&parts{ResponseRecorder: httptest.NewRecorder(), read: &read, refuses: true}, "[", batched(counted(5000, &read, nil), same), appendJSON, "]")
	})
	require.Less(t, read, 500, "nothing more is read for a caller who has gone")
}
