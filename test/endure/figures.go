package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// answer is what became of one request. A status of 0 means that there was none.
type answer struct {
	operation string
	begun     time.Time
	took      time.Duration
	status    int
}

func (a answer) good() bool { return a.status >= 200 && a.status < 300 }

// figures collects answers.
type figures struct {
	mu      sync.Mutex
	answers []answer
}

func (f *figures) add(a answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = append(f.answers, a)
}

func (f *figures) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.answers)
}

// between returns the answers to requests that were begun in this time.
func (f *figures) between(from, to time.Time) answers {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found answers
	for _, a := range f.answers {
		if !a.begun.Before(from) && a.begun.Before(to) {
			found = append(found, a)
		}
	}
	return found
}

// all returns all answers.
func (f *figures) all() answers {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.answers)
}

type answers []answer

// tally says how many ended how.
type tally struct{ good, refused, failed, unanswered int }

func (list answers) tally() tally {
	var t tally
	for _, a := range list {
		switch {
		case a.good():
			t.good++
		case a.status == 0:
			t.unanswered++
		case a.status >= 500:
			t.failed++
		default:
			t.refused++
		}
	}
	return t
}

// at returns what the share of the requests took at most.
func (list answers) at(share float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	took := make([]time.Duration, len(list))
	for i, a := range list {
		took[i] = a.took
	}
	slices.Sort(took)
	return took[min(int(share*float64(len(took))), len(took)-1)]
}

// answerHead is the head of the cells that answers have in a table.
var answerHead = []string{"requests", "2xx", "4xx", "5xx", "no answer", "p50 ms", "p99 ms", "longest ms"}

func (list answers) cells() []string {
	t := list.tally()
	return []string{
		fmt.Sprint(len(list)), fmt.Sprint(t.good), fmt.Sprint(t.refused), fmt.Sprint(t.failed), fmt.Sprint(t.unanswered),
		milliseconds(list.at(0.5)), milliseconds(list.at(0.99)), milliseconds(list.at(1)),
	}
}

// byOperation prints a line for each operation.
func (list answers) byOperation(out io.Writer) {
	grouped := map[string]answers{}
	for _, a := range list {
		grouped[a.operation] = append(grouped[a.operation], a)
	}
	var rows [][]string
	for operation, its := range grouped {
		rows = append(rows, append([]string{operation}, its.cells()...))
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	rows = append(rows, append([]string{"all"}, list.cells()...))
	table(out, append([]string{"operation"}, answerHead...), rows)
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }

func table(out io.Writer, head []string, rows [][]string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t")) // standard output
	}
	_ = w.Flush()
	_, _ = fmt.Fprintln(out)
}
