package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
)

// newDemo makes the demo clinic in a service that has the settings which matter here as devstack gives them.
func newDemo(t *testing.T) (base string, d *demo) {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o := options{address: listener.Addr().String(), state: filepath.Join(t.TempDir(), "neighbours.json")}
	neighbours, address, stop, err := startNeighbours(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(stop)
	require.NoError(t, listener.Close())
	given := map[string]string{}
	for _, setting := range settings(o, "http://"+address) {
		name, value, _ := strings.Cut(setting, "=")
		given[name] = value
	}
	testkit.Start(t, testkit.Configure(func(c *config.Config) {
		store := c.Store
		*c = testkit.Config("http://"+address, "")
		c.Store, c.HTTP.Address = store, given["TIDEPOOL_CLINIC_HTTP_ADDRESS"]
		c.Redox.VerificationToken = config.Secret(given["TIDEPOOL_REDOX_VERIFICATION_TOKEN"])
		c.Xealth.BearerToken, c.Xealth.ApplicationURL = config.Secret(given["TIDEPOOL_XEALTH_BEARER_TOKEN"]), given["TIDEPOOL_APPLICATION_URL"]
	}))
	d, err = fillDemo(t.Context(), "http://"+o.address, neighbours)
	require.NoError(t, err)
	return "http://" + o.address, d
}

func get(t *testing.T, address string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, body
}

// TestPrintedReportCanBeSeen follows the printed link to the page, and the page to the report.
func TestPrintedReportCanBeSeen(t *testing.T) {
	t.Parallel()
	_, d := newDemo(t)
	status, page := get(t, d.reportLink)
	require.Equal(t, http.StatusOK, status)
	found := regexp.MustCompile(`window\.PDF_URL = ("[^"]*")`).FindSubmatch(page)
	require.NotNil(t, found)
	var address string
	require.NoError(t, json.Unmarshal(found[1], &address))
	status, report := get(t, address)
	require.Equal(t, http.StatusOK, status)
	require.True(t, bytes.HasPrefix(report, []byte("%PDF")))
}

var shellBlock = regexp.MustCompile("(?s)```sh (\\d+)\n(.*?)```")

// TestGuides runs the requests of the guides for those who build on the service, each guide from top to bottom.
func TestGuides(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl", "python3"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("SKIPPED: the requests of the guides are not tried, because this is not installed: " + program)
		}
	}
	base, d := newDemo(t)
	tried := 0
	for _, guide := range []string{"frontends.md", "redox.md", "xealth.md", "backend-services.md", "beyond.md"} {
		content, err := os.ReadFile(filepath.Join("../../docs", guide))
		require.NoError(t, err)
		folder := t.TempDir()
		for _, block := range shellBlock.FindAllStringSubmatch(string(content), -1) {
			tried++
			output, status := runBlock(t, folder, block[2], "SERVICE="+base, "CLINIC="+d.clinicID)
			require.Equal(t, block[1], status, "%s\n%s\n%s", guide, block[2], output)
		}
	}
	require.Greater(t, tried, 18)
}

// runBlock runs lines of a shell and returns what they print, and the status of the last answer.
func runBlock(t *testing.T, folder, lines string, environment ...string) (output, status string) {
	t.Helper()
	script := `set -euo pipefail; curl() { command curl -w '%{stderr}%{http_code}\n' "$@"; }` + "\n" + lines
	command := exec.CommandContext(t.Context(), "bash", "-c", script)
	command.Dir, command.Env = folder, append(os.Environ(), environment...)
	var printed, statuses bytes.Buffer
	command.Stdout, command.Stderr = &printed, &statuses
	require.NoError(t, command.Run(), "%s\n%s%s", lines, printed.String(), statuses.String())
	words := strings.Fields(statuses.String())
	require.NotEmpty(t, words, fmt.Sprint("no answer to ", lines))
	return printed.String(), words[len(words)-1]
}
