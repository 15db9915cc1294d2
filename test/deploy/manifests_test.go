package deploy_test

import (
	"path/filepath"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var overlays = []string{"development", "production"}

// build returns the objects of a folder below deploy, each decoded strictly: an unknown or repeated field is an error.
func build(t *testing.T, folder string) []runtime.Object {
	t.Helper()
	return buildAt(t, filepath.Join(root, "deploy", folder))
}

// buildAt is build for a folder anywhere.
func buildAt(t *testing.T, folder string) []runtime.Object {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	require.NoError(t, err)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		core.AddToScheme, apps.AddToScheme, autoscaling.AddToScheme, networking.AddToScheme, policy.AddToScheme, monitoring.AddToScheme,
	} {
		require.NoError(t, add(scheme))
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, resource := range made.Resources() {
		content, err := resource.AsYAML()
		require.NoError(t, err)
		object, _, err := decoder.Decode(content, nil, nil)
		require.NoError(t, err, string(content))
		objects = append(objects, object)
	}
	return objects
}

// the returns the only object of a type.
func the[T runtime.Object](t *testing.T, objects []runtime.Object) T {
	t.Helper()
	var found []T
	for _, object := range objects {
		if typed, ok := object.(T); ok {
			found = append(found, typed)
		}
	}
	require.Len(t, found, 1)
	return found[0]
}

// TestManifestsAreWhatKubernetesTakes decodes all of them, and compares what has to fit together.
func TestManifestsAreWhatKubernetesTakes(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			objects := build(t, "overlays/"+overlay)
			deployment := the[*apps.Deployment](t, objects)
			pod := deployment.Spec.Template
			ports := map[string]int32{}
			for _, port := range pod.Spec.Containers[0].Ports {
				ports[port.Name] = port.ContainerPort
			}
			require.Equal(t, map[string]int32{"http": 8080}, ports)

			// An empty selector would mean all pods, or none.
			labels := func(selector map[string]string) {
				require.NotEmpty(t, selector)
				require.Subset(t, pod.Labels, selector)
			}
			labels(deployment.Spec.Selector.MatchLabels)
			labels(the[*core.Service](t, objects).Spec.Selector)
			require.NotNil(t, the[*policy.PodDisruptionBudget](t, objects).Spec.Selector)
			labels(the[*policy.PodDisruptionBudget](t, objects).Spec.Selector.MatchLabels)
			labels(the[*networking.NetworkPolicy](t, objects).Spec.PodSelector.MatchLabels)
			monitor := the[*monitoring.ServiceMonitor](t, objects)
			require.Subset(t, the[*core.Service](t, objects).Labels, monitor.Spec.Selector.MatchLabels)
			require.Equal(t, the[*core.Service](t, objects).Spec.Ports[0].Name, monitor.Spec.Endpoints[0].Port)
			require.Equal(t, deployment.Name, the[*autoscaling.HorizontalPodAutoscaler](t, objects).Spec.ScaleTargetRef.Name)
		})
	}
}

func TestProductionRunsTwoReplicas(t *testing.T) {
	t.Parallel()
	objects := build(t, "overlays/production")
	require.EqualValues(t, 2, *the[*apps.Deployment](t, objects).Spec.Replicas)
	require.EqualValues(t, 2, *the[*autoscaling.HorizontalPodAutoscaler](t, objects).Spec.MinReplicas)
	require.EqualValues(t, 1, the[*policy.PodDisruptionBudget](t, objects).Spec.MaxUnavailable.IntValue())
}

// TestContainersHaveNoRights holds the rules that the strictest level of Kubernetes' pod security demands, and more.
func TestContainersHaveNoRights(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays {
		spec := the[*apps.Deployment](t, build(t, "overlays/"+overlay)).Spec.Template.Spec
		require.True(t, *spec.SecurityContext.RunAsNonRoot)
		require.EqualValues(t, 10001, *spec.SecurityContext.RunAsUser)
		require.Equal(t, core.SeccompProfileTypeRuntimeDefault, spec.SecurityContext.SeccompProfile.Type)
		require.False(t, *spec.AutomountServiceAccountToken)
		require.Len(t, spec.Containers, 1)
		context := spec.Containers[0].SecurityContext
		require.False(t, *context.AllowPrivilegeEscalation)
		require.True(t, *context.ReadOnlyRootFilesystem)
		require.Equal(t, []core.Capability{"ALL"}, context.Capabilities.Drop)
		require.Empty(t, context.Capabilities.Add)
		require.NotNil(t, spec.Containers[0].Resources.Limits.Memory())
	}
}

// TestDrainAndGraceAddUp: draining, then 15 s for requests in flight, then something to spare, before the cluster kills.
func TestDrainAndGraceAddUp(t *testing.T) {
	t.Parallel()
	const inFlight = 15 * time.Second // app.StopTimeout
	for _, overlay := range overlays {
		objects := build(t, "overlays/"+overlay)
		spec := the[*apps.Deployment](t, objects).Spec.Template.Spec
		drain, err := time.ParseDuration(environment(t, objects)["TIDEPOOL_CLINIC_HTTP_DRAIN_DELAY"])
		require.NoError(t, err)
		require.Nil(t, spec.Containers[0].Lifecycle, "a hook would need time of its own")
		grace := time.Duration(*spec.TerminationGracePeriodSeconds) * time.Second
		require.GreaterOrEqual(t, grace, drain+inFlight+5*time.Second)
	}
}

func TestEveryVariableIsDocumented(t *testing.T) {
	t.Parallel()
	known := documented(t)
	for _, overlay := range overlays {
		for name := range environment(t, build(t, "overlays/"+overlay)) {
			require.True(t, known[name], "%s sets %s", overlay, name)
		}
	}
}

// TestScalingOnRequestsIsWellFormed: the component is in no overlay, so it is applied here.
func TestScalingOnRequestsIsWellFormed(t *testing.T) {
	t.Parallel()
	files := filesys.MakeFsInMemory()
	for _, file := range []string{"horizontalpodautoscaler.yaml", "scale.yaml"} {
		source := "deploy/base/" + file
		if file == "scale.yaml" {
			source = "deploy/components/scale-on-requests/kustomization.yaml"
			file = "component/kustomization.yaml"
		}
		require.NoError(t, files.WriteFile(file, []byte(text(t, source))))
	}
	require.NoError(t, files.WriteFile("kustomization.yaml", []byte("resources: [horizontalpodautoscaler.yaml]\ncomponents: [component]\n")))
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, ".")
	require.NoError(t, err)
	content, err := made.AsYaml()
	require.NoError(t, err)
	scheme := runtime.NewScheme()
	require.NoError(t, autoscaling.AddToScheme(scheme))
	object, _, err := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer().Decode(content, nil, nil)
	require.NoError(t, err)
	scaler, ok := object.(*autoscaling.HorizontalPodAutoscaler)
	require.True(t, ok)
	require.Len(t, scaler.Spec.Metrics, 2)
	require.Contains(t, metricsTable(t), scaler.Spec.Metrics[1].Pods.Metric.Name)
}
