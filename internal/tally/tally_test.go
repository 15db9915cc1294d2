package tally_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/tally"
)

func counts(c *tally.Counter) map[string]int64 {
	all := map[string]int64{}
	for words, n := range c.Counts() {
		all[strings.Join(words, " ")] = n
	}
	return all
}

func TestACounterCountsCombinations(t *testing.T) {
	t.Parallel()
	c := tally.NewCounter([]string{"clinic", "patient"}, []string{"ok", "failed"})
	require.Len(t, counts(c), 9, "each label may also be other")
	c.Add("patient", "failed")
	c.Add("patient", "failed")
	c.Add("clinic", "ok")
	all := counts(c)
	require.EqualValues(t, 2, all["patient failed"])
	require.EqualValues(t, 1, all["clinic ok"])
	require.Zero(t, all["clinic failed"])
	require.EqualValues(t, 3, c.Total())
}

// TestLabelsAreBound holds that no text of a caller becomes a label.
func TestLabelsAreBound(t *testing.T) {
	t.Parallel()
	c := tally.NewCounter([]string{"ok"})
	c.Add("a name")
	c.Add()
	require.Equal(t, map[string]int64{"ok": 0, tally.Other: 2}, counts(c))
}

func TestACounterWithoutLabels(t *testing.T) {
	t.Parallel()
	c := tally.NewCounter()
	c.Add()
	require.Equal(t, map[string]int64{"": 1}, counts(c))
}

func TestTimesAreCumulative(t *testing.T) {
	t.Parallel()
	h := tally.NewTimes(0.1, 1)
	for _, took := range []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond, time.Minute} {
		h.Observe(took)
	}
	s := h.Snapshot()
	require.Equal(t, map[float64]uint64{0.1: 2, 1: 3}, s.UpTo)
	require.EqualValues(t, 4, s.Count)
	require.Equal(t, time.Minute+650*time.Millisecond, s.Sum)
}
