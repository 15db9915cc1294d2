package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// held is how much memory a process has, in megabytes.
type held struct {
	Resident float64 `json:"residentMB"`
	Peak     float64 `json:"peakMB"` // the most at any moment since it began
}

// heldBy asks the system, and returns nil where it does not tell.
func heldBy(process int) *held {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return nil
	}
	return readHeld(string(status))
}

func readHeld(status string) *held {
	var h held
	targets := map[string]*float64{"VmRSS:": &h.Resident, "VmHWM:": &h.Peak}
	for line := range strings.Lines(status) {
		fields := strings.Fields(line)
		if len(fields) != 3 || targets[fields[0]] == nil {
			continue
		}
		kilobytes, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return nil
		}
		*targets[fields[0]] = kilobytes * 1024 / 1e6
	}
	if h.Resident == 0 || h.Peak == 0 {
		return nil
	}
	return &h
}
