package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress says how many of how many patients are stored, every few seconds and at the end.
type progress struct {
	to      io.Writer
	clinic  string
	all     int
	every   time.Duration
	started time.Time

	mu   sync.Mutex
	done int
	told time.Time
}

func newProgress(to io.Writer, clinic string, all int, every time.Duration) *progress {
	now := time.Now()
	return &progress{to: to, clinic: clinic, all: all, every: every, started: now, told: now}
}

func (p *progress) add(count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += count
	if p.done < p.all && time.Since(p.told) < p.every {
		return
	}
	p.told = time.Now()
	fmt.Fprintf(p.to, "load: %s: %d of %d patients are stored, after %s\n", p.clinic, p.done, p.all, time.Since(p.started).Round(time.Second))
}
