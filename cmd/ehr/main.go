// Command ehr is the operators' command line for the integrations with health records; see package operator.
package main

import (
	"os"

	"github.com/tidepool-org/clinic/internal/operator"
)

func main() { os.Exit(operator.Main()) }
