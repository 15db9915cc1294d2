// Command openapi prints the interface document as the service publishes it, for tools that read it as a file.
package main

import (
	"fmt"
	"os"

	"github.com/tidepool-org/clinic/api"
)

func main() {
	document, err := api.LoadDocument()
	if err == nil {
		_, err = os.Stdout.Write(document.JSON())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
