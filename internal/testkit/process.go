package testkit

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// Process is the built service, run as a process of its own.
type Process struct {
	App
	command *exec.Cmd
	ended   chan error
	log     *bytes.Buffer
}

var built struct {
	once sync.Once
	path string
	err  error
}

// Build builds the service once for all tests of the package and returns the path of the binary. CLINIC_TEST_BINARY names a
// program to test in its place, such as one that starts the service from its image.
func Build(t testing.TB) string {
	t.Helper()
	if program := os.Getenv("CLINIC_TEST_BINARY"); program != "" {
		return program
	}
	built.once.Do(func() {
		// One place for each package of each checkout, so that old binaries do not pile up.
		folder := filepath.Join(os.TempDir(), sharedName())
		if built.err = os.MkdirAll(folder, 0o750); built.err != nil {
			return
		}
		built.path = filepath.Join(folder, "clinic")
		build := exec.CommandContext(context.Background(), "go", "build", "-o", built.path, "github.com/tidepool-org/clinic/cmd/clinic")
		build.Stderr = os.Stderr
		built.err = build.Run()
	})
	require.NoError(t, built.err)
	return built.path
}

// Run starts the built service with a database and a stand-in of its own and waits until it is ready. The process is killed
// after the test, unless it was stopped before. Settings are put into its environment in addition.
func Run(t testing.TB, settings map[string]string) *Process {
	t.Helper()
	neighbours := standin.New(standin.Options{Development: true})
	host := httptest.NewServer(neighbours)
	t.Cleanup(host.Close)
	d := fresh(t)
	p := &Process{App: App{URL: "http://" + freeAddress(t), Store: d, Standin: neighbours}}
	p.Start(t, environment(Config(host.URL, d.Name()), p.URL, settings))
	return p
}

// Replica starts another process with the database, the stand-in and the settings of this one.
func (p *Process) Replica(t testing.TB) *Process {
	t.Helper()
	other := &Process{App: App{URL: "http://" + freeAddress(t), Store: p.Store, Standin: p.Standin}}
	environment := slices.Clone(p.Environment())
	for i, setting := range environment {
		if strings.HasPrefix(setting, addressSetting+"=") {
			environment[i] = addressSetting + "=" + other.URL[len("http://"):]
		}
	}
	other.Start(t, environment)
	return other
}

// Start starts the process with this environment and waits until it is ready; it is for starting once more after Kill or
// Stop, with the environment of the process before.
func (p *Process) Start(t testing.TB, environment []string) {
	t.Helper()
	p.log = &bytes.Buffer{}
	p.command = exec.CommandContext(context.Background(), Build(t))
	p.command.Env = environment
	p.command.Stderr = p.log
	require.NoError(t, p.command.Start())
	p.ended = make(chan error, 1)
	go func(command *exec.Cmd, ended chan<- error) { ended <- command.Wait() }(p.command, p.ended)
	t.Cleanup(p.Kill)
	require.Eventually(t, func() bool { return p.ready() }, 30*time.Second, 50*time.Millisecond, "the service does not get ready")
}

// Environment returns what the process was started with.
func (p *Process) Environment() []string { return p.command.Env }

func (p *Process) ready() bool {
	answer, err := http.Get(p.URL + "/ready")
	if err != nil {
		return false
	}
	_ = answer.Body.Close() // it has none
	return answer.StatusCode == http.StatusOK
}

// Stop sends SIGTERM, waits for the end and returns the exit status.
func (p *Process) Stop(t testing.TB) int {
	t.Helper()
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	return p.Wait(t)
}

// Wait waits for the end of the process and returns its exit status.
func (p *Process) Wait(t testing.TB) int {
	t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err // so that it can be waited for again
	case <-time.After(40 * time.Second):
		require.Fail(t, "the service does not end")
	}
	return p.command.ProcessState.ExitCode()
}

// Kill ends the process at once, as a crash would.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // it may have ended already
	err := <-p.ended
	p.ended <- err
}

// Output returns what the process logged; it must have ended.
func (p *Process) Output() string { return p.log.String() }

func freeAddress(t testing.TB) string {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }() // the port is wanted, not the listener
	return listener.Addr().String()
}

const addressSetting = "TIDEPOOL_CLINIC_HTTP_ADDRESS"

// environment returns the settings as the process reads them.
func environment(c config.Config, url string, extra map[string]string) []string {
	values := map[string]string{
		addressSetting:                                              url[len("http://"):],
		"TIDEPOOL_CLINIC_HTTP_DRAIN_DELAY":                          c.HTTP.DrainDelay.String(),
		"TIDEPOOL_STORE_ADDRESSES":                                  c.Store.Addresses,
		"TIDEPOOL_STORE_OPT_PARAMS":                                 c.Store.OptParams,
		"TIDEPOOL_CLINIC_DATABASE_NAME":                             c.Store.Database,
		"TIDEPOOL_SHORELINE_CLIENT_ADDRESS":                         c.Platform.UserServiceAddress,
		"TIDEPOOL_SEAGULL_CLIENT_ADDRESS":                           c.Platform.ProfileServiceAddress,
		"TIDEPOOL_SERVER_TOKEN":                                     string(c.Platform.ServerSecret),
		"TIDEPOOL_AUTH_CLIENT_ADDRESS":                              c.Platform.AuthServiceAddress,
		"TIDEPOOL_AUTH_CLIENT_EXTERNAL_ADDRESS":                     c.Platform.AuthExternalAddress,
		"TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_SECRET": string(c.Platform.AuthExternalSecret),
		"TIDEPOOL_AUTH_SERVICE_TOKEN_ENDPOINT":                      c.Platform.TokenEndpoint,
		"TIDEPOOL_CLINIC_OUTBOUND_TIMEOUT":                          c.Platform.CallTimeout.String(),
		"TIDEPOOL_REDOX_VERIFICATION_TOKEN":                         string(c.Redox.VerificationToken),
		"TIDEPOOL_XEALTH_ENABLED":                                   strconv.FormatBool(c.Xealth.Enabled),
		"TIDEPOOL_XEALTH_BEARER_TOKEN":                              string(c.Xealth.BearerToken),
		"TIDEPOOL_XEALTH_CLIENT_ID":                                 c.Xealth.ClientID,
		"TIDEPOOL_XEALTH_CLIENT_SECRET":                             string(c.Xealth.ClientSecret),
		"TIDEPOOL_XEALTH_TOKEN_URL":                                 c.Xealth.TokenURL,
		"TIDEPOOL_XEALTH_SERVER_BASE_URL":                           c.Xealth.BaseURL,
		"TIDEPOOL_APPLICATION_URL":                                  c.Xealth.ApplicationURL,
		"LOG_LEVEL":                                                 "info",
	}
	for name, value := range extra {
		values[name] = value
	}
	list := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "GOMEMLIMIT=" + os.Getenv("GOMEMLIMIT")}
	for name, value := range values {
		list = append(list, name+"="+value)
	}
	return list
}

// PeakMemory returns the most memory, in bytes, that the process had at any moment. It is 0 where the system does not tell.
func (p *Process) PeakMemory(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.command.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kilobytes, err := strconv.Atoi(fields[1])
			require.NoError(t, err)
			return kilobytes << 10
		}
	}
	return 0
}
