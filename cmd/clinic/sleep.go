package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// shellName is the name by which the binary is a shell that can do one thing: sleep.
const shellName = "sh"

// sleep does what the pre-stop hook of deployments asks a shell for, `sh -c "sleep 15"`, and returns the exit status. The
// image has no shell, and a hook that cannot be run would be reported as a failure of every container that stops.
func sleep(args []string) int {
	if len(args) == 2 && args[0] == "-c" {
		if words := strings.Fields(args[1]); len(words) == 2 && words[0] == "sleep" {
			if seconds, err := strconv.ParseUint(words[1], 10, 16); err == nil {
				time.Sleep(time.Duration(seconds) * time.Second)
				return 0
			}
		}
	}
	fmt.Fprintln(os.Stderr, `sh: this image has no shell; only sh -c "sleep SECONDS" is understood`)
	return 127
}
