package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// fake is an engine that this machine has or lacks.
type fake struct {
	mongod
	label   string
	missing error
}

func (f fake) name() string                    { return f.label }
func (f fake) available(context.Context) error { return f.missing }

func TestTheFirstEngineThatCanBeHadIsChosen(t *testing.T) {
	t.Parallel()
	lacks := errors.New("needs something")
	tests := map[string]struct {
		missing []error // of a and b
		named   string
		want    string
		fails   []string
	}{
		"the first":                {missing: []error{nil, nil}, want: "a"},
		"the second":               {missing: []error{lacks, nil}, want: "b"},
		"the named one":            {missing: []error{nil, nil}, named: "b", want: "b"},
		"no other than the named":  {missing: []error{nil, lacks}, named: "b", fails: []string{"cannot have b", "needs something"}},
		"none, and what they need": {missing: []error{lacks, lacks}, fails: []string{"  a ", "  b ", "needs something", "TIDEPOOL_STORE_ADDRESSES"}},
		"an unknown one":           {missing: []error{nil, nil}, named: "c", fails: []string{"no engine c; there are a, b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chosen, err := choose(t.Context(), []engine{fake{label: "a", missing: test.missing[0]}, fake{label: "b", missing: test.missing[1]}}, test.named)
			for _, part := range test.fails {
				require.ErrorContains(t, err, part)
			}
			if test.fails == nil {
				require.NoError(t, err)
				require.Equal(t, test.want, chosen.name())
			}
		})
	}
}

func TestEveryEngineHasAPortOfItsOwn(t *testing.T) {
	t.Parallel()
	var names []string
	ports := map[int]bool{}
	for _, e := range engines(place{}) {
		names = append(names, e.name())
		require.NotZero(t, defaultPorts[e.name()], e.name())
		ports[defaultPorts[e.name()]] = true
	}
	require.Equal(t, []string{"mongod", "docker", "secantus", "documentdb"}, names, "the order in which they are preferred")
	require.Len(t, ports, len(names))
}

func TestSettings(t *testing.T) {
	t.Parallel()
	env := map[string]string{"HOME": "/home/x", "CLINIC_DB_PORT": "4000", "CLINIC_DB_ENGINE": "docker"}
	read := func(args ...string) (settings, error) {
		return readSettings(args, func(name string) string { return env[name] })
	}
	s, err := read("up")
	require.NoError(t, err)
	require.Equal(t, settings{command: "up", cache: "/home/x/.cache/clinic-dev", engine: "docker", port: 4000}, s)
	for _, args := range [][]string{{"up", "--engine", "mongod", "--port=5000"}, {"--engine=mongod", "--port", "5000", "up"}} {
		s, err = read(args...)
		require.NoError(t, err)
		require.Equal(t, settings{command: "up", cache: "/home/x/.cache/clinic-dev", engine: "mongod", port: 5000}, s)
	}
	_, err = read("up", "down")
	require.ErrorContains(t, err, "one command at a time")
	env["CLINIC_DB_PORT"] = "many"
	_, err = read("up")
	require.ErrorContains(t, err, "CLINIC_DB_PORT=many is not a port")
	env = map[string]string{}
	_, err = read("up")
	require.ErrorContains(t, err, "neither CLINIC_CACHE nor HOME")
}

func TestADatabaseOfOnesOwnIsUsedAsItIs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	cache := filepath.Join(t.TempDir(), "cache")
	require.NoError(t, do(t.Context(), settings{command: "up", cache: cache, external: "db.example:27017", engine: "unknown"}, &out))
	require.Equal(t, "db.example:27017\n", out.String())
	require.NoDirExists(t, cache)
}

func TestEnginesAreToldApart(t *testing.T) {
	t.Parallel()
	require.Equal(t, "documentdb", kindOf("", bson.M{"version": "7.0.77", "ferretdb": bson.D{}}))
	require.Equal(t, "secantus", kindOf("secantus", bson.M{"version": "7.0.0"}))
	require.Equal(t, "mongod", kindOf("rs0", bson.M{"version": "8.0.1"}))
	require.True(t, kind{name: "mongod"}.fits("docker"))
	require.True(t, kind{name: "secantus"}.fits(""))
	require.False(t, kind{name: "secantus"}.fits("documentdb"))
}

// What answers is used even where no engine could be started, but not in place of another one that was named.
func TestWhatAnswersOnThePortIsUsed(t *testing.T) {
	t.Parallel()
	address := os.Getenv("CLINIC_TEST_STORE")
	if address == "" {
		address = "127.0.0.1:27018"
	}
	found, err := identify(t.Context(), address)
	require.NoError(t, err, "no database for tests: run scripts/database up, and set CLINIC_TEST_STORE to what it prints")
	require.True(t, found.writable)
	_, text, err := net.SplitHostPort(address)
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)

	var out bytes.Buffer
	s := settings{command: "up", cache: filepath.Join(t.TempDir(), "cache"), port: port}
	require.NoError(t, do(t.Context(), s, &out))
	require.Equal(t, "127.0.0.1:"+text+"\n", out.String())
	require.NoDirExists(t, s.cache)

	s.engine = "documentdb"
	if found.name == "documentdb" {
		s.engine = "secantus"
	}
	require.ErrorContains(t, do(t.Context(), s, &out), "is "+found.name+", not "+s.engine)
}

func TestATakenPortIsSaidBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	cache := t.TempDir()
	for _, e := range []engine{mongod{place{cache: cache, port: port}}, secantus{place{cache: cache, port: port}}, documentdb{place{cache: cache, port: port}}} {
		require.ErrorContains(t, e.start(t.Context()), "is taken by something", e.name())
	}
	left, err := os.ReadDir(cache)
	require.NoError(t, err)
	require.Empty(t, left)
	require.NoError(t, listener.Close())
	// Another test may have the port for a moment, for a connection of its own.
	require.Eventually(t, func() bool { return free(t.Context(), port) == nil }, 10*time.Second, 50*time.Millisecond)
}

// sleeper is a process of ours whose command line may or may not be that of a server.
func sleeper(t *testing.T, s server, arguments ...string) int {
	t.Helper()
	require.NoError(t, s.launch("sh", append([]string{"-c", "while :; do sleep 1; done"}, arguments...)...))
	content, err := os.ReadFile(s.pidFile())
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	require.NoError(t, err)
	t.Cleanup(func() {
		if process, err := os.FindProcess(pid); err == nil {
			_ = process.Kill() // it may have ended
		}
	})
	return pid
}

func TestAProcessIdThatWasGivenOutAgainIsNotOurs(t *testing.T) {
	t.Parallel()
	s := server{place{cache: t.TempDir(), port: 4711}, "mongod"}
	for name, arguments := range map[string][]string{"another program": {"other", "4711"}, "another port": {"mongod", "4712"}} {
		pid := sleeper(t, s, arguments...)
		require.NotEmpty(t, commandOf(pid), name)
		require.False(t, s.runs(), name)
		require.NoError(t, s.end(t.Context()), name)
		require.NotEmpty(t, commandOf(pid), "%s: what we did not start must go on", name)
		require.NoFileExists(t, s.pidFile())
	}
	for _, content := range []string{"", "x", "-1", "0", "99999999"} {
		require.NoError(t, os.WriteFile(s.pidFile(), []byte(content), 0o600))
		require.False(t, s.runs(), content)
	}
}

func TestAServerIsEnded(t *testing.T) {
	t.Parallel()
	s := server{place{cache: t.TempDir(), port: 4711}, "mongod"}
	pid := sleeper(t, s, "mongod", "4711")
	require.True(t, s.runs())
	require.NoError(t, s.end(t.Context()))
	require.Empty(t, commandOf(pid))
	require.NoFileExists(t, s.pidFile())
}

func TestAServerThatEndsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := server{place{cache: t.TempDir(), port: 4711}, "mongod"}
	require.NoError(t, s.launch("sh", "-c", "echo cannot open the files; exit 3", "mongod", "4711"))
	started := time.Now()
	err := s.wait(t.Context(), func(context.Context) error { return errors.New("no answer") })
	require.ErrorContains(t, err, "cannot open the files")
	require.Less(t, time.Since(started), 20*time.Second)
}

// The helper process takes the lock and is killed.
func TestALockThatAKilledRunLeftLocksNobodyOut(t *testing.T) {
	t.Parallel()
	if cache := os.Getenv("DEVDB_TEST_LOCK"); cache != "" {
		_, err := takeTurn(t.Context(), cache, time.Second)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(cache, "taken"), nil, 0o600))
		time.Sleep(time.Minute)
	}
	cache := t.TempDir()
	helper := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestALockThatAKilledRunLeftLocksNobodyOut$")
	helper.Env = append(os.Environ(), "DEVDB_TEST_LOCK="+cache)
	require.NoError(t, helper.Start())
	require.Eventually(t, func() bool { return exists(filepath.Join(cache, "taken")) }, 20*time.Second, 10*time.Millisecond)

	_, err := takeTurn(t.Context(), cache, 100*time.Millisecond)
	require.ErrorContains(t, err, "giving up")
	require.NoError(t, helper.Process.Kill())
	_ = helper.Wait() // it was killed
	release, err := takeTurn(t.Context(), cache, time.Second)
	require.NoError(t, err)
	_, err = takeTurn(t.Context(), cache, 100*time.Millisecond)
	require.ErrorContains(t, err, "giving up")
	release()
	again, err := takeTurn(t.Context(), cache, time.Second)
	require.NoError(t, err)
	again()
}

func TestRemovalSparesWhatIsMounted(t *testing.T) {
	t.Parallel()
	base, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	folder := filepath.Join(base, "data")
	inner := filepath.Join(folder, "my disk")
	require.NoError(t, os.MkdirAll(inner, 0o750))
	list := filepath.Join(base, "mountinfo")
	line := "36 35 98:0 / " + strings.ReplaceAll(inner, " ", `\040`) + " rw - ext4 /dev/root rw\n"
	require.NoError(t, os.WriteFile(list, []byte("1 1 0:1 / / rw - x y z\n"+line), 0o600))
	mounts, err := mountPoints(list)
	require.NoError(t, err)
	require.Equal(t, []string{"/", inner}, mounts)

	require.ErrorContains(t, removeUnless(folder, mounts), "something is mounted on "+inner)
	require.ErrorContains(t, removeUnless(inner, mounts), "something is mounted on "+inner)
	require.DirExists(t, inner)
	require.NoError(t, removeUnless(folder, []string{folder + "base", "/"}))
	require.NoDirExists(t, folder)
	require.NoError(t, remove(folder), "what is not there needs no removal")
}

func TestRemovalLeavesWhatALinkLeadsTo(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	kept := filepath.Join(base, "kept")
	require.NoError(t, os.MkdirAll(filepath.Join(base, "data"), 0o750))
	require.NoError(t, os.WriteFile(kept, nil, 0o600))
	require.NoError(t, os.Symlink(kept, filepath.Join(base, "data", "link")))
	require.NoError(t, remove(filepath.Join(base, "data")))
	require.FileExists(t, kept)
}

func TestPythonIsTheFirstThatHasWheels(t *testing.T) {
	t.Parallel()
	versions := map[string]string{"python3": "3.14", "python3.12": "3.12", "python3.10": "3.10"}
	version := func(name string) string { return versions[name] }
	require.Equal(t, "python3.12", firstPython(pythons, version))
	versions["python3"] = "3.11"
	require.Equal(t, "python3", firstPython(pythons, version))
	require.Empty(t, firstPython(pythons, func(string) string { return "3.9" }))
}

func TestFailedStepShowsTheEndOfItsOutput(t *testing.T) {
	t.Parallel()
	p := place{cache: t.TempDir(), port: 4711}
	err := p.step("Making it", func(out io.Writer) error {
		_, err := out.Write([]byte("the disk is full\n"))
		return errors.Join(err, errors.New("exit status 1"))
	})
	require.ErrorContains(t, err, "the disk is full")
	require.FileExists(t, p.in("log", "Making-it.log"))
}
