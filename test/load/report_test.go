package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func measured(patients int, ratios map[string]float64, order ...string) report {
	r := report{Patients: patients, Callers: 8, Processors: 2}
	for _, name := range order {
		r.Results = append(r.Results, result{Operation: name, Ratio: ratios[name], Service: figures{P50: 1, P99: 2.25, PerSecond: 10}, Driver: &figures{P50: 0.5, PerSecond: 20}})
	}
	return r
}

func TestWhatMovedByMoreThanAThirdIsTold(t *testing.T) {
	t.Parallel()
	before := ratios{"slower": 1.5, "faster": 3, "as before": 1.5, "a third": 3, "not measured now": 2}
	now := measured(1000, map[string]float64{"slower": 2.01, "faster": 1.99, "as before": 1.6, "a third": 4, "new": 1}, "slower", "faster", "as before", "a third", "new")
	require.Equal(t, []string{
		"ratios: slower got slower: 2.01, recorded was 1.50",
		"ratios: faster got faster: 1.99, recorded was 3.00",
		"ratios: new is new: 1.00",
	}, now.moved(before))
	alone := measured(1000, before, "slower")
	alone.Results = append(alone.Results, result{Operation: "nothing"})
	require.Equal(t, []string{"ratios: none of 1 moved by more than a third"}, alone.moved(before), "what the driver has no part in has no ratio")
}

func TestRatiosAreComparedWithTheSameKindOfRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ratios.json")
	told := func(r report, compare, record string) string {
		var out bytes.Buffer
		require.NoError(t, r.againstRecorded(&out, compare, record))
		return out.String()
	}
	small, large := measured(1000, ratios{"get": 1}, "get"), measured(2000, ratios{"get": 2}, "get")
	require.Equal(t, "ratios: none are recorded for 1000 patients without transactions\n", told(small, file, file))
	require.Contains(t, told(large, file, file), "none are recorded")
	require.Contains(t, told(small, file, ""), "none of 1 moved")
	require.Contains(t, told(large, file, ""), "none of 1 moved")
	small.Transactions = true
	require.Contains(t, told(small, file, ""), "none are recorded for 1000 patients with transactions")
	large.Clinics = 3
	require.Contains(t, told(large, file, ""), "none are recorded for 3 clinics of 2000 patients without transactions")

	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	require.Error(t, small.againstRecorded(&bytes.Buffer{}, file, ""))
}

func TestTableHasTheReferenceWhereItWasMeasured(t *testing.T) {
	t.Parallel()
	r := measured(1000, ratios{"get": 2, "put": 1}, "get", "put")
	r.Results[0].Wanted = "ratio ≤ 2"
	r.Results = append(r.Results, result{Operation: "nothing", Service: figures{P50: 1, P99: 2, PerSecond: 9}})
	r.Start = start{Answers: 310.2, Ready: 420}
	var without, with bytes.Buffer
	r.print(&without)
	require.Equal(t, `
1000 patients, 8 callers, 2 processors, transactions: false

| Operation | p50 ms | p99 ms | per second | driver p50 ms | driver per second | ratio | wanted |
|---|---:|---:|---:|---:|---:|---:|---|
| get | 1.0 | 2.2 | 10.0 | 0.5 | 20.0 | 2.00 | ratio ≤ 2 |
| put | 1.0 | 2.2 | 10.0 | 0.5 | 20.0 | 1.00 |  |
| nothing | 1.0 | 2.0 | 9.0 | – | – | – |  |

start: the first answer came 310 ms after the process began, that it is ready after 420 ms (wanted < 2 s on a large database)
memory: this system does not tell what a process holds
`, without.String())
	r.Results[0].Reference = &figures{P50: 3, PerSecond: 5}
	r.print(&with)
	require.Contains(t, with.String(), "| get | 1.0 | 2.2 | 10.0 | 0.5 | 20.0 | 3.0 | 5.0 | 2.00 | ratio ≤ 2 |")
	require.Contains(t, with.String(), "| put | 1.0 | 2.2 | 10.0 | 0.5 | 20.0 | – | – | 1.00 |  |")
}

func TestPeakIsToldWithTheOperationThatReachedIt(t *testing.T) {
	t.Parallel()
	r := measured(20, ratios{"get": 2, "put": 1, "list": 1}, "get", "put", "list")
	require.Nil(t, r.findPeak())
	for i, megabytes := range []float64{50, 90, 90} {
		r.Results[i].Memory = &held{Resident: 40, Peak: megabytes}
	}
	require.Equal(t, &peak{Megabytes: 90, Operation: "put"}, r.findPeak())
	r.Clinics = 2
	r.OfClinics = []result{{Operation: "2 clinics: list", Service: figures{P50: 1, P99: 2, PerSecond: 9}, Memory: &held{Resident: 80.4, Peak: 120}}}
	r.Peak = r.findPeak()
	var out bytes.Buffer
	r.print(&out)
	require.Contains(t, out.String(), "2 clinics of 20 patients, 8 callers")
	require.Contains(t, out.String(), "| 2 clinics: list | 1.0 | 2.0 | 9.0 | 80 | 120 |\n")
	require.Contains(t, out.String(), `at most 120 MB, first seen after "2 clinics: list"`)
}

func TestWhatFailsDoesNotKeepOthersFromBeingMeasured(t *testing.T) {
	t.Parallel()
	returns := func(err error) work { return work{do: func(context.Context, int) error { return err }} }
	s := settings{rounds: 1, callers: 1}
	list := []operation{{name: "broken", service: returns(os.ErrInvalid)}, {name: "whole", service: returns(nil)}}
	results, err := measureAll(t.Context(), s, list, os.Getpid())
	require.ErrorIs(t, err, os.ErrInvalid)
	require.ErrorContains(t, err, "broken: service: ")
	require.Len(t, results, 1)
	require.Equal(t, "whole", results[0].Operation)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	results, err = measureAll(stopped, s, list, os.Getpid())
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, results)
}

func TestSidesTakeTurns(t *testing.T) {
	t.Parallel()
	var turns []string
	of := func(name string, err error) work {
		note := func(what string) func(context.Context) error {
			return func(context.Context) error { turns = append(turns, name+" "+what); return nil }
		}
		return work{prepare: note("begins"), do: func(context.Context, int) error { return err }, finish: note("ends")}
	}
	s := settings{rounds: 2, callers: 2, slice: time.Millisecond}
	r, err := measure(t.Context(), s, operation{name: "x", service: of("service", nil), driver: of("driver", nil), reference: of("reference", nil)})
	require.NoError(t, err)
	require.Equal(t, []string{
		"service begins", "service ends", "driver begins", "driver ends", "reference begins", "reference ends",
		"service begins", "service ends", "driver begins", "driver ends", "reference begins", "reference ends",
	}, turns)
	require.NotNil(t, r.Reference)
	require.Positive(t, r.Ratio)

	r, err = measure(t.Context(), s, operation{name: "x", service: of("service", nil), driver: of("driver", nil), reference: of("reference", os.ErrInvalid)})
	require.NoError(t, err, "what the reference cannot do is no failure")
	require.Nil(t, r.Reference)
	r, err = measure(t.Context(), s, operation{name: "x", service: of("service", nil)})
	require.NoError(t, err)
	require.Nil(t, r.Driver)
	require.Zero(t, r.Ratio)
	_, err = measure(t.Context(), s, operation{name: "x", service: of("service", os.ErrInvalid), driver: of("driver", nil)})
	require.ErrorIs(t, err, os.ErrInvalid)
}
