package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
)

const fileSuffix = "_FILE"

// TestSecretsByFile applies the component to a copy of the production overlay. Every secret of the example has to arrive, by file
// if the service can read it from one, and the service has to understand the environment that comes of it.
func TestSecretsByFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, os.DirFS(filepath.Join(root, "deploy"))))
	overlay := "resources: [overlays/production]\ncomponents: [components/secrets-by-file]\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(overlay), 0o600))
	objects := buildAt(t, folder)
	pod := the[*apps.Deployment](t, objects).Spec.Template.Spec
	container := pod.Containers[0]
	for _, source := range container.EnvFrom {
		require.Nil(t, source.SecretRef, "no secret is a variable any more")
	}

	values := secrets(t, objects, "clinic")
	mounted := mountOf(t, pod, "clinic")
	require.True(t, mounted.ReadOnly)
	variables := map[string]string{"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME")}
	for name, value := range the[*core.ConfigMap](t, objects).Data {
		variables[name] = value
	}
	arrived := map[string]string{}
	for _, variable := range container.Env {
		name, byFile := strings.CutSuffix(variable.Name, fileSuffix)
		switch {
		case variable.ValueFrom != nil:
			reference := variable.ValueFrom.SecretKeyRef
			require.Equal(t, "clinic", reference.Name)
			arrived[name], variables[name] = values[reference.Key], values[reference.Key]
		case byFile:
			key, err := filepath.Rel(mounted.MountPath, variable.Value)
			require.NoError(t, err)
			arrived[name] = values[key]
			file := filepath.Join(folder, name)
			require.NoError(t, os.WriteFile(file, []byte(values[key]+"\n"), 0o600))
			variables[variable.Name] = file
		default:
			variables[name] = variable.Value
		}
	}
	require.Equal(t, values, arrived)

	output := checkConfig(t, variables)
	require.NotContains(t, output, "change-me")
	for name := range values {
		require.NotRegexp(t, `(?m)^`+name+`=$`, output, "it has a value")
	}
}

// mountOf returns where the files of a Secret are.
func mountOf(t *testing.T, pod core.PodSpec, secret string) core.VolumeMount {
	t.Helper()
	for _, volume := range pod.Volumes {
		if volume.Secret == nil || volume.Secret.SecretName != secret {
			continue
		}
		for _, mount := range pod.Containers[0].VolumeMounts {
			if mount.Name == volume.Name {
				return mount
			}
		}
	}
	require.Fail(t, "the secret is not mounted")
	return core.VolumeMount{}
}

// checkConfig returns the settings that the service takes from the variables.
func checkConfig(t *testing.T, variables map[string]string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "clinic")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", root, "-o", binary, "./cmd/clinic")
	built, err := build.CombinedOutput()
	require.NoError(t, err, string(built))
	command := exec.CommandContext(t.Context(), binary, "config", "check")
	for name, value := range variables {
		command.Env = append(command.Env, name+"="+value)
	}
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	return string(output)
}
