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

// print writes a table that can go into a document as it is. The reference has columns only where it was measured.
func (r report) print(to io.Writer) {
	fmt.Fprintf(to, "\n%d patients, %d callers, %d processors, transactions: %t\n\n", r.Patients, r.Callers, r.Processors, r.Transactions)
	referenceHead, referenceLine, reference := "", "", func(result) string { return "" }
	for _, o := range r.Results {
		if o.Reference != nil {
			referenceHead, referenceLine = " reference p50 ms | reference per second |", "---:|---:|"
			reference = referenceCells
		}
	}
	fmt.Fprintf(to, "| Operation | p50 ms | p99 ms | per second | driver p50 ms | driver per second |%s ratio | wanted |\n", referenceHead)
	fmt.Fprintf(to, "|---|---:|---:|---:|---:|---:|%s---:|---|\n", referenceLine)
	for _, o := range r.Results {
		fmt.Fprintf(to, "| %s | %.1f | %.1f | %.1f | %.1f | %.1f |%s %.2f | %s |\n", o.Operation,
			o.Service.P50, o.Service.P99, o.Service.PerSecond, o.Driver.P50, o.Driver.PerSecond, reference(o), o.Ratio, o.Wanted)
	}
}

func referenceCells(o result) string {
	if o.Reference == nil {
		return " – | – |"
	}
	return fmt.Sprintf(" %.1f | %.1f |", o.Reference.P50, o.Reference.PerSecond)
}

func (r report) keep(file string) error {
	if file == "" {
		return nil
	}
	return writeJSON(file, r)
}

func writeJSON(file string, value any) error {
	encoded, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(encoded, '\n'), 0o600)
}
