// Command report reads what `go test -json` prints and shows what a person wants to know: a line for each package, the
// output of tests that failed, which tests were slow, and, said aloud, how many did not run and why.
//
//	go test -json ./... | report
//
// Its exit status is that of the tests.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
)

func main() {
	// Whatever stops the tests stops this as well, once it has shown what they said.
	signal.Ignore(os.Interrupt)
	r := newReport(os.Stdout)
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
	if !r.finish(10) {
		os.Exit(1)
	}
}

type event struct {
	Action, Package, ImportPath, Test, Output string

	Elapsed float64
}

type test struct {
	pkg, name string
	seconds   float64
	reason    string
}

type report struct {
	out      io.Writer
	failed   bool
	output   map[string][]string // by package and test, until it is known how the test ends
	slow     []test
	skipped  []test
	finished int
	failures map[string][]string // names of tests, by package; none if it was not a test that failed
}

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[string][]string{}, failures: map[string][]string{}}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.take(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take reads a line. What is no event, as the text of a compiler may be, is passed on.
func (r *report) take(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		_, _ = fmt.Fprint(r.out, line)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		_, _ = fmt.Fprint(r.out, e.Output)
	case "build-fail":
		r.failed = true
	case "output":
		if e.Test == "" {
			r.ofPackage(e.Output)
			return
		}
		r.output[key] = append(r.output[key], e.Output)
	case "pass", "fail", "skip":
		if e.Test != "" {
			r.ended(e, r.output[key])
			delete(r.output, key)
		} else if e.Action == "fail" {
			r.failed = true
			r.failures[e.Package] = append([]string{}, r.failures[e.Package]...) // known, also if no test of it failed
		}
	}
}

// ofPackage shows what a package says; bare words of the tool say nothing that its last line does not.
func (r *report) ofPackage(text string) {
	if text != "PASS\n" && text != "FAIL\n" && !strings.HasPrefix(text, "?") && !strings.HasPrefix(text, "testing: warning: no tests") {
		_, _ = fmt.Fprint(r.out, text)
	}
}

func (r *report) ended(e event, output []string) {
	r.finished++
	one := test{pkg: e.Package[strings.LastIndex(e.Package, "/")+1:], name: e.Test, seconds: e.Elapsed}
	r.slow = append(r.slow, one)
	switch e.Action {
	case "fail":
		r.failed = true
		if !strings.Contains(e.Test, "/") {
			r.failures[e.Package] = append(r.failures[e.Package], e.Test)
		}
		_, _ = fmt.Fprint(r.out, strings.Join(output, ""))
	case "skip":
		one.reason = reason(output)
		r.skipped = append(r.skipped, one)
	}
}

// reason returns what the test said when it was skipped: the line before the last, without the place in the source.
func reason(output []string) string {
	text := ""
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "--- ") {
			text = line
		}
	}
	if _, after, ok := strings.Cut(text, ".go:"); ok {
		_, after, _ = strings.Cut(after, ": ")
		text = after
	}
	return strings.TrimPrefix(text, "SKIPPED: ")
}

// again returns the arguments of `go test` that repeat what failed: the tests, unless a package failed without one of them
// or before all had ended.
func (r *report) again() string {
	var packages, tests []string
	whole := len(r.failures) == 0
	for pkg, names := range r.failures {
		packages = append(packages, pkg)
		tests = append(tests, names...)
		whole = whole || len(names) == 0
	}
	slices.Sort(packages)
	slices.Sort(tests)
	arguments := strings.Join(packages, " ")
	if !whole && len(r.output) == 0 {
		arguments += " -run ^(" + strings.Join(slices.Compact(tests), "|") + ")$"
	}
	return arguments
}

// finish prints the summary and reports whether everything passed.
func (r *report) finish(slowest int) bool {
	for _, lines := range r.output { // of tests that did not end
		_, _ = fmt.Fprint(r.out, strings.Join(lines, ""))
	}
	slices.SortFunc(r.slow, func(a, b test) int { return int(1000 * (b.seconds - a.seconds)) })
	_, _ = fmt.Fprintf(r.out, "\nThe slowest of %d tests:\n", r.finished)
	for _, one := range r.slow[:min(slowest, len(r.slow))] {
		if one.seconds < 0.1 {
			break
		}
		_, _ = fmt.Fprintf(r.out, "  %6.1f s  %s %s\n", one.seconds, one.pkg, one.name)
	}
	_, _ = fmt.Fprintf(r.out, "SKIPPED: %d of %d tests\n", len(r.skipped), r.finished)
	for _, one := range r.skipped {
		_, _ = fmt.Fprintf(r.out, "  %s %s: %s\n", one.pkg, one.name, one.reason)
	}
	if r.failed {
		_, _ = fmt.Fprintf(r.out, "TO REPEAT: %s\n", r.again())
	}
	return !r.failed
}
