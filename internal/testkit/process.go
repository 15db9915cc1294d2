package testkit

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
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
	log     *processLog
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
	p := &Process{App: App{Store: d, Standin: neighbours}}
	p.Start(t, environment(Config(host.URL, d.Name()), settings))
	return p
}

// Replica starts another process with the database, the stand-in and the settings of this one.
func (p *Process) Replica(t testing.TB) *Process {
	t.Helper()
	other := &Process{App: App{Store: p.Store, Standin: p.Standin}}
	other.Start(t, p.Environment())
	return other
}

// Start starts the process with this environment and waits until it is ready; it is for starting once more after Kill or
// Stop, with the environment of the process before. The process listens where the system lets it, and says where.
func (p *Process) Start(t testing.TB, environment []string) {
	t.Helper()
	p.log = newProcessLog()
	p.command = exec.CommandContext(context.Background(), Build(t))
	p.command.Env = environment
	p.command.Stderr = p.log
	require.NoError(t, p.command.Start())
	p.ended = make(chan error, 1)
	go func(command *exec.Cmd, ended chan<- error) { ended <- command.Wait() }(p.command, p.ended)
	t.Cleanup(p.Kill)
	select {
	case address := <-p.log.listening:
		p.URL = "http://" + address
	case err := <-p.ended:
		p.ended <- err
		require.Fail(t, "the service does not start", p.Output())
	case <-time.After(30 * time.Second):
		require.Fail(t, "the service does not listen")
	}
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

// environment returns the settings as the process reads them, and what else a process needs.
func environment(c config.Config, extra map[string]string) []string {
	c.Log.Level = "info"
	list := append(c.Environ(), "TIDEPOOL_CLINIC_HTTP_DRAIN_DELAY="+c.HTTP.DrainDelay.String(),
		"PATH="+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"), "GOMEMLIMIT="+os.Getenv("GOMEMLIMIT"))
	for name, value := range extra {
		list = append(list, name+"="+value) // the last of two counts
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
