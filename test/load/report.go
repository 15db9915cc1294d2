package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

// report is what a run found out, and on what.
type report struct {
	Time         time.Time `json:"time"`
	Patients     int       `json:"patients"`
	Callers      int       `json:"callers"`
	Processors   int       `json:"processors"`
	Go           string    `json:"go"`
	Transactions bool      `json:"transactions"` // tells MongoDB from the engine that stands in for it
	Results      []result  `json:"results"`
}

func newReport(s settings, transactions bool, results []result) report {
	return report{
		Time: time.Now().UTC().Truncate(time.Second), Patients: s.patients, Callers: s.callers, Processors: runtime.NumCPU(), Go: runtime.Version(),
		Transactions: transactions, Results: results,
	}
}

// print writes a table that can go into a document as it is.
func (r report) print(to io.Writer) {
	fmt.Fprintf(to, "\n%d patients, %d callers, %d processors\n\n", r.Patients, r.Callers, r.Processors)
	fmt.Fprintln(to, "| Operation | p50 ms | p99 ms | per second | driver p50 ms | driver p99 ms | driver per second | ratio |")
	fmt.Fprintln(to, "|---|---:|---:|---:|---:|---:|---:|---:|")
	for _, o := range r.Results {
		fmt.Fprintf(to, "| %s | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.2f |\n", o.Operation,
			o.Service.P50, o.Service.P99, o.Service.PerSecond, o.Driver.P50, o.Driver.P99, o.Driver.PerSecond, o.Ratio)
	}
}

func (r report) keep(file string) error {
	if file == "" {
		return nil
	}
	encoded, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(encoded, '\n'), 0o600)
}
