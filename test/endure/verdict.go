package main

import (
	"fmt"
	"strings"
	"sync"
)

// complaintsShown bounds what is printed; all are counted.
const complaintsShown = 20

// verdict collects what is not as it should be. It is good as long as nobody complains.
type verdict struct {
	mu         sync.Mutex
	complaints []string
	number     int
}

func (v *verdict) complain(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.number++
	if len(v.complaints) < complaintsShown {
		v.complaints = append(v.complaints, fmt.Sprintf(format, args...))
	}
}

func (v *verdict) good() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.number == 0
}

func (v *verdict) String() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.number == 0 {
		return "GOOD"
	}
	return fmt.Sprintf("BAD, %d complaints\n  %s", v.number, strings.Join(v.complaints, "\n  "))
}
