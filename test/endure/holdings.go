package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// holdings are what a process holds, and the seconds of a processor that it took so far.
type holdings struct{ memory, heap, goroutines, files, connections, processor float64 }

var holdingsHead = []string{"memory MiB", "heap MiB", "goroutines", "open files", "db connections"}

func (h holdings) cells() []string {
	return []string{
		fmt.Sprintf("%.0f", h.memory/(1<<20)), fmt.Sprintf("%.0f", h.heap/(1<<20)),
		fmt.Sprintf("%.0f", h.goroutines), fmt.Sprintf("%.0f", h.files), fmt.Sprintf("%.0f", h.connections),
	}
}

// holdings returns the largest of each number over the replicas, from their metrics; of the processor's seconds, the sum.
func (w *world) holdings(ctx context.Context) (holdings, error) {
	var largest holdings
	for _, r := range w.replicas {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url()+"/metrics", nil)
		if err != nil {
			return largest, err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return largest, err
		}
		held, err := readHoldings(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return largest, fmt.Errorf("metrics of replica %s: %w", r.name, err)
		}
		largest.memory, largest.heap = max(largest.memory, held.memory), max(largest.heap, held.heap)
		largest.goroutines, largest.files = max(largest.goroutines, held.goroutines), max(largest.files, held.files)
		largest.connections = max(largest.connections, held.connections)
		largest.processor += held.processor
	}
	return largest, nil
}

// readHoldings reads them from the text of Prometheus. One that is not there is an error: it would never grow.
func readHoldings(text io.Reader) (holdings, error) {
	var h holdings
	wanted := map[string]*float64{
		"process_resident_memory_bytes": &h.memory, "go_memstats_heap_inuse_bytes": &h.heap, "go_goroutines": &h.goroutines,
		"process_open_fds": &h.files, `clinic_database_connections{state="open"}`: &h.connections,
		"process_cpu_seconds_total": &h.processor,
	}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		target := wanted[name]
		if target == nil {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return h, err
		}
		*target = number
		delete(wanted, name)
	}
	for name := range wanted {
		return h, fmt.Errorf("there is no %s", name)
	}
	return h, lines.Err()
}
