package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"
)

// report is what a run found out, and on what.
type report struct {
	Time         time.Time `json:"time"`
	Patients     int       `json:"patients"` // of each clinic
	Clinics      int       `json:"clinics,omitempty"`
	Callers      int       `json:"callers"`
	Processors   int       `json:"processors"`
	Go           string    `json:"go"`
	Transactions bool      `json:"transactions"` // tells MongoDB from the engine that stands in for it
	Start        start     `json:"start"`
	Results      []result  `json:"results"`
	OfClinics    []result  `json:"ofClinics,omitempty"` // the pages of all clinics in turns, if there are several
	Peak         *peak     `json:"peak,omitempty"`      // nil if the system does not tell
}

// peak is the most memory that the service held, and the operation after which it was first seen.
type peak struct {
	Megabytes float64 `json:"peakMB"`
	Operation string  `json:"operation"`
}

func newReport(s settings, transactions bool) report {
	return report{
		Time: time.Now().UTC().Truncate(time.Second), Patients: s.patients, Clinics: s.clinics, Callers: s.callers, Processors: runtime.NumCPU(),
		Go: runtime.Version(), Transactions: transactions,
	}
}

// size says how much data there was.
func (r report) size() string {
	if r.Clinics > 1 {
		return fmt.Sprintf("%d clinics of %d patients", r.Clinics, r.Patients)
	}
	return fmt.Sprintf("%d patients", r.Patients)
}

// findPeak looks at the operations in the order in which they were measured.
func (r report) findPeak() *peak {
	var found *peak
	for _, o := range slices.Concat(r.Results, r.OfClinics) {
		if o.Memory != nil && (found == nil || o.Memory.Peak > found.Megabytes) {
			found = &peak{Megabytes: o.Memory.Peak, Operation: o.Operation}
		}
	}
	return found
}

// print writes tables that can go into a document as they are. The reference has columns only where it was measured.
func (r report) print(to io.Writer) {
	fmt.Fprintf(to, "\n%s, %d callers, %d processors, transactions: %t\n\n", r.size(), r.Callers, r.Processors, r.Transactions)
	referenceHead, referenceLine, reference := "", "", func(*figures) string { return "" }
	for _, o := range r.Results {
		if o.Reference != nil {
			referenceHead, referenceLine = " reference p50 ms | reference per second |", "---:|---:|"
			reference = cells
		}
	}
	fmt.Fprintf(to, "| Operation | p50 ms | p99 ms | per second | driver p50 ms | driver per second |%s ratio | wanted |\n", referenceHead)
	fmt.Fprintf(to, "|---|---:|---:|---:|---:|---:|%s---:|---|\n", referenceLine)
	for _, o := range r.Results {
		ratio := "–"
		if o.Driver != nil {
			ratio = fmt.Sprintf("%.2f", o.Ratio)
		}
		fmt.Fprintf(to, "| %s | %.1f | %.1f | %.1f |%s%s %s | %s |\n", o.Operation,
			o.Service.P50, o.Service.P99, o.Service.PerSecond, cells(o.Driver), reference(o.Reference), ratio, o.Wanted)
	}
	r.printClinics(to)
	fmt.Fprintf(to, "\nstart: the first answer came %.0f ms after the process began, that it is ready after %.0f ms (wanted < 2 s on a large database)\n",
		r.Start.Answers, r.Start.Ready)
	if r.Peak == nil {
		fmt.Fprintln(to, "memory: this system does not tell what a process holds")
		return
	}
	fmt.Fprintf(to, "memory: the service held at most %.0f MB, first seen after \"%s\" (wanted < 200 MB with ten clinics of 20,000)\n", r.Peak.Megabytes, r.Peak.Operation)
}

func cells(f *figures) string {
	if f == nil {
		return " – | – |"
	}
	return fmt.Sprintf(" %.1f | %.1f |", f.P50, f.PerSecond)
}

func (r report) printClinics(to io.Writer) {
	if len(r.OfClinics) == 0 {
		return
	}
	fmt.Fprint(to, "\n| Operation | p50 ms | p99 ms | per second | memory MB | peak MB |\n|---|---:|---:|---:|---:|---:|\n")
	for _, o := range r.OfClinics {
		memory := " – | – |"
		if o.Memory != nil {
			memory = fmt.Sprintf(" %.0f | %.0f |", o.Memory.Resident, o.Memory.Peak)
		}
		fmt.Fprintf(to, "| %s | %.1f | %.1f | %.1f |%s\n", o.Operation, o.Service.P50, o.Service.P99, o.Service.PerSecond, memory)
	}
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
