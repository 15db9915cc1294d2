package main

import (
	"fmt"
	"io"

	"github.com/tidepool-org/clinic/internal/observe"
)

const usage = `clinic runs the clinic service until it gets SIGTERM or SIGINT. It takes its settings from the environment:
docs/configuration.md lists them.

Usage:
  clinic
  clinic config check   shows the settings that are in force, without secrets
  clinic --version
  clinic --help

Called by the name ehr, it is the operators' command line.

Exit status: 0 after an orderly stop, 1 if the service could not start, broke, or had to cut requests off, 2 for arguments
that it does not know.
`

// arguments deals with the arguments of the command. It reports whether the process is to end, and with which status. An
// argument that is not known is refused: whoever wrote it expects something to be different.
func arguments(args []string, out, problems io.Writer) (status int, ended bool) {
	switch {
	case len(args) == 0:
		return 0, false
	case len(args) == 1 && (args[0] == "--version" || args[0] == "-version"):
		_, _ = fmt.Fprintln(out, "clinic", observe.ThisBuild())
		return 0, true
	case len(args) == 2 && args[0] == "config" && args[1] == "check":
		return checkConfig(), true
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-help" || args[0] == "-h"):
		_, _ = fmt.Fprint(out, usage)
		return 0, true
	default:
		_, _ = fmt.Fprintf(problems, "clinic: unknown arguments; settings come from the environment\n\n%s", usage)
		return 2, true
	}
}
