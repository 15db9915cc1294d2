package testkit

import (
	"bytes"
	"encoding/json"
	"sync"
)

// processLog keeps what a process logs, and tells when it listens.
type processLog struct {
	listening chan string // the address, once

	mu   sync.Mutex
	all  bytes.Buffer
	line bytes.Buffer
	told bool
}

func newProcessLog() *processLog { return &processLog{listening: make(chan string, 1)} }

// Write takes a part of the log.
func (l *processLog) Write(part []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Write(part)
	if l.told {
		return len(part), nil
	}
	l.line.Write(part)
	for !l.told {
		end := bytes.IndexByte(l.line.Bytes(), '\n')
		if end < 0 {
			break
		}
		var entry struct{ Msg, Address string }
		if json.Unmarshal(l.line.Next(end+1), &entry) == nil && entry.Msg == "listening" {
			l.told = true
			l.listening <- entry.Address
		}
	}
	return len(part), nil
}

// Output returns what the process has logged so far.
func (p *Process) Output() string {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.log.all.String()
}
