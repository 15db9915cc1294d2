package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFigures(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	var f figures
	for n, status := range []int{200, 204, 404, 502, 0} {
		f.add(answer{operation: "read", begun: begun.Add(time.Duration(n) * time.Second), took: time.Duration(n+1) * time.Millisecond, status: status})
	}
	require.Equal(t, tally{good: 2, refused: 1, failed: 1, unanswered: 1}, f.all().tally())
	require.Len(t, f.between(begun.Add(time.Second), begun.Add(3*time.Second)), 2)
	require.Equal(t, 3*time.Millisecond, f.all().at(0.5))
	require.Equal(t, 5*time.Millisecond, f.all().at(1))
	require.Zero(t, answers{}.at(1))
	require.Len(t, f.all().cells(), len(answerHead))
	var out strings.Builder
	f.all().byOperation(&out)
	require.Contains(t, out.String(), "read       5         2    1    1    1          3.0     5.0     5.0\n")
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	var v verdict
	require.True(t, v.good())
	require.Equal(t, "GOOD", v.String())
	for range complaintsShown + 1 {
		v.complain("%s is lost", "m")
	}
	require.False(t, v.good())
	require.Contains(t, v.String(), "BAD, 21 complaints\n  m is lost")
	require.Equal(t, complaintsShown, strings.Count(v.String(), "lost"))
}

// TestTimesAreJudged: what is late is forgiven on a busy machine, what was never answered is not.
func TestTimesAreJudged(t *testing.T) {
	t.Parallel()
	late, never := answers{{took: latest + 1, status: 500}}, answers{{took: patience}}
	for _, test := range []struct {
		all     answers
		lenient bool
		good    bool
	}{{late, false, false}, {late, true, true}, {never, true, false}, {answers{{took: latest, status: 500}}, false, true}} {
		w := world{settings: settings{lenient: test.lenient}}
		w.judgeTimes(test.all)
		require.Equal(t, test.good, w.verdict.good())
	}
}

func TestMemoryIsJudged(t *testing.T) {
	t.Parallel()
	for growth, good := range map[float64]bool{1: true, 2: false} {
		var w world
		w.judgeMemory([]float64{50 << 20, 200 << 20, 250 << 20, 200 << 20, 210 << 20, 220 << 20, 230 << 20, growth * (200 << 20), growth * (210 << 20), growth * (250 << 20)})
		require.Equal(t, good, w.verdict.good(), w.verdict.String())
	}
}

func TestHoldingsAreRead(t *testing.T) {
	t.Parallel()
	text := "# HELP go_goroutines Number\ngo_goroutines 12\nprocess_resident_memory_bytes 1.5e+07\ngo_memstats_heap_inuse_bytes 3\n" +
		"process_cpu_seconds_total 4.5\nprocess_open_fds 9\nclinic_database_connections{state=\"in use\"} 1\nclinic_database_connections{state=\"open\"} 7\n"
	held, err := readHoldings(strings.NewReader(text))
	require.NoError(t, err)
	require.Equal(t, holdings{memory: 15e6, heap: 3, goroutines: 12, files: 9, connections: 7, processor: 4.5}, held)
	_, err = readHoldings(strings.NewReader("go_goroutines 12\n"))
	require.ErrorContains(t, err, "there is no")
}
