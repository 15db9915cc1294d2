package deploy_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// environment returns the variables that the container gets. A Secret that is not among the objects is what the example
// says.
func environment(t *testing.T, objects []runtime.Object) map[string]string {
	t.Helper()
	container := the[*apps.Deployment](t, objects).Spec.Template.Spec.Containers[0]
	variables := map[string]string{}
	for _, source := range container.EnvFrom {
		require.Empty(t, source.Prefix)
		if source.ConfigMapRef != nil {
			maps.Copy(variables, the[*core.ConfigMap](t, objects).Data)
			require.Equal(t, the[*core.ConfigMap](t, objects).Name, source.ConfigMapRef.Name)
			continue
		}
		maps.Copy(variables, secrets(t, objects, source.SecretRef.Name))
	}
	for _, variable := range container.Env {
		require.Nil(t, variable.ValueFrom, variable.Name)
		variables[variable.Name] = variable.Value
	}
	return variables
}

func secrets(t *testing.T, objects []runtime.Object, name string) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, object := range objects {
		if secret, ok := object.(*core.Secret); ok {
			require.Equal(t, secret.Name, name)
			for key, value := range secret.Data {
				values[key] = string(value)
			}
			return values
		}
	}
	require.Equal(t, "clinic", name, "the Secret that docs/operations.md tells to make")
	for line := range strings.Lines(text(t, "deploy/overlays/production/secrets.example.env")) {
		key, value, found := strings.Cut(strings.TrimSpace(line), "=")
		require.True(t, found, line)
		values[key] = value
	}
	return values
}

// TestManifestsStartTheImage starts the service from the image, as its user, on its read-only files, with the environment
// that the manifests give. Only what the machine cannot offer is replaced: names of other hosts, and what the database for
// tests cannot do.
func TestManifestsStartTheImage(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(root, "bin/rootfs/app/clinic")); err != nil || os.Getuid() != 0 {
		t.Skip("SKIPPED: needs root, and the image (make image)")
	}
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			objects := build(t, "overlays/"+overlay)
			spec := the[*apps.Deployment](t, objects).Spec.Template.Spec
			variables := environment(t, objects)
			s := start(t, here(t, variables))

			container := spec.Containers[0]
			for _, probe := range []*core.Probe{container.StartupProbe, container.ReadinessProbe, container.LivenessProbe} {
				require.Equal(t, "http", probe.HTTPGet.Port.StrVal)
				require.Equal(t, http.StatusOK, s.status(t, probe.HTTPGet.Path), probe.HTTPGet.Path)
			}
			requireRights(t, s.command.Process.Pid, *spec.SecurityContext.RunAsUser)

			began := time.Now()
			require.NoError(t, s.command.Process.Signal(syscall.SIGTERM))
			require.Eventually(t, func() bool { return s.status(t, "/ready") == http.StatusBadRequest }, 5*time.Second, 50*time.Millisecond,
				"it drains by itself")
			require.NoError(t, s.command.Wait(), s.log.String())
			require.Less(t, time.Since(began), time.Duration(*spec.TerminationGracePeriodSeconds)*time.Second)
		})
	}
}

// here returns the variables with the names of other hosts replaced by what runs on this machine.
func here(t *testing.T, variables map[string]string) map[string]string {
	t.Helper()
	neighbours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-tidepool-session-token", "token") // every login is welcome
	}))
	t.Cleanup(neighbours.Close)
	replaced := maps.Clone(variables)
	for name := range variables {
		switch {
		case strings.Contains(name, "TOKEN_ENDPOINT"), strings.HasSuffix(name, "_URL"),
			strings.HasSuffix(name, "CLIENT_ADDRESS"), strings.HasSuffix(name, "EXTERNAL_ADDRESS"):
			replaced[name] = neighbours.URL
		}
	}
	maps.Copy(replaced, map[string]string{
		"TIDEPOOL_CLINIC_HTTP_ADDRESS":        freeAddress(t),
		"TIDEPOOL_CLINIC_DATABASE_NAME":       databaseName(t),
		"TIDEPOOL_STORE_ADDRESSES":            store(),
		"TIDEPOOL_STORE_SCHEME":               "mongodb",
		"TIDEPOOL_STORE_TLS":                  "false",
		"TIDEPOOL_STORE_REQUIRE_TRANSACTIONS": "false",
	})
	delete(replaced, "TIDEPOOL_STORE_USERNAME") // the database for tests knows no users
	delete(replaced, "TIDEPOOL_STORE_PASSWORD")
	return replaced
}

type service struct {
	command *exec.Cmd
	url     string
	log     *bytes.Buffer
}

func start(t *testing.T, variables map[string]string) *service {
	t.Helper()
	s := &service{url: "http://" + variables["TIDEPOOL_CLINIC_HTTP_ADDRESS"], log: &bytes.Buffer{}}
	s.command = exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(root, "scripts/image-run"))
	s.command.Env = []string{"PATH=" + os.Getenv("PATH")} // for the tools that start it; the image has a PATH of its own
	for name, value := range variables {
		s.command.Env = append(s.command.Env, name+"="+value)
	}
	s.command.Stderr = s.log
	require.NoError(t, s.command.Start())
	t.Cleanup(func() { _ = s.command.Process.Kill() }) // it may have ended
	require.Eventually(t, func() bool { return s.status(t, "/ready") == http.StatusOK }, 60*time.Second, 100*time.Millisecond, "the service does not get ready")
	return s
}

// status returns the status of an answer, or 0 if there is none.
func (s *service) status(t *testing.T, path string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close() // not of interest
	return answer.StatusCode
}

// requireRights asserts what the kernel says of a process: its user, that it has no capability and can get none, and that
// its files are read-only.
func requireRights(t *testing.T, pid int, user int64) {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	require.NoError(t, err)
	id := strconv.FormatInt(user, 10)
	require.Contains(t, string(status), "\nUid:\t"+strings.Join([]string{id, id, id, id}, "\t")+"\n")
	require.Contains(t, string(status), "\nCapEff:\t0000000000000000\n")
	require.Contains(t, string(status), "\nCapPrm:\t0000000000000000\n")
	require.Contains(t, string(status), "\nNoNewPrivs:\t1\n")
	mounts, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "mountinfo"))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^\S+ \S+ \S+ \S+ / ro,`, string(mounts))
}

func store() string {
	if address := os.Getenv("CLINIC_TEST_STORE"); address != "" {
		return address
	}
	return "127.0.0.1:27018"
}

// databaseName returns the name of a database that is dropped after the test.
func databaseName(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("clinic_test_deploy_%d_%d", os.Getpid(), time.Now().UnixNano())
	t.Cleanup(func() {
		client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + store()))
		require.NoError(t, err)
		require.NoError(t, client.Database(name).Drop(context.Background()))
		require.NoError(t, client.Disconnect(context.Background()))
	})
	return name
}

func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }() // the port is wanted, not the listener
	return listener.Addr().String()
}
