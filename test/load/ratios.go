package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
)

// ratios are the ratios of operations, by their names.
type ratios map[string]float64

// recorded has the ratios that earlier runs were recorded with, by what they measured: the same service has other ratios with
// more patients, and on another engine.
type recorded map[string]ratios

// noticeable is by what part a ratio has to move to be told: less is the mood of a machine.
const noticeable = 1.0 / 3

func (r report) kind() string {
	engine := "without transactions"
	if r.Transactions {
		engine = "with transactions"
	}
	return r.size() + " " + engine
}

func (r report) ratios() ratios {
	found := ratios{}
	for _, o := range r.Results {
		if o.Driver != nil {
			found[o.Operation] = math.Round(o.Ratio*100) / 100
		}
	}
	return found
}

// againstRecorded says what moved against the file to compare with, and then keeps the ratios in the file to record in. An
// empty name means no such file. Times never make it fail.
func (r report) againstRecorded(to io.Writer, compare, record string) error {
	if compare != "" {
		before, err := readRecorded(compare)
		if err != nil {
			return err
		}
		for _, line := range r.moved(before[r.kind()]) {
			fmt.Fprintln(to, line)
		}
	}
	if record == "" {
		return nil
	}
	all, err := readRecorded(record)
	if err != nil {
		return err
	}
	all[r.kind()] = r.ratios()
	return writeJSON(record, all)
}

// moved returns a line for each operation whose ratio moved by more than a third, or that cannot be compared.
func (r report) moved(before ratios) []string {
	if len(before) == 0 {
		return []string{"ratios: none are recorded for " + r.kind()}
	}
	now := r.ratios()
	var lines []string
	for _, o := range r.Results {
		was, known := before[o.Operation]
		is, compared := now[o.Operation]
		switch {
		case !compared:
		case !known:
			lines = append(lines, fmt.Sprintf("ratios: %s is new: %.2f", o.Operation, is))
		case math.Abs(is-was) > was*noticeable:
			word := "slower"
			if is < was {
				word = "faster"
			}
			lines = append(lines, fmt.Sprintf("ratios: %s got %s: %.2f, recorded was %.2f", o.Operation, word, is, was))
		}
	}
	if len(lines) == 0 {
		lines = append(lines, fmt.Sprintf("ratios: none of %d moved by more than a third", len(now)))
	}
	return lines
}

// readRecorded reads a file of ratios. A file that is not there has none.
func readRecorded(file string) (recorded, error) {
	all := recorded{}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}
