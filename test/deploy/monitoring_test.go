package deploy_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// ofOthers are metrics that Prometheus, Go and the process report, with their labels.
var ofOthers = map[string][]string{
	"up": nil, "process_resident_memory_bytes": nil, "process_cpu_seconds_total": nil,
}

// metricsTable returns the labels of each metric of docs/metrics.md.
func metricsTable(t *testing.T) map[string][]string {
	t.Helper()
	bounds := map[string]bool{}
	for _, row := range rows(t, "docs/metrics.md", "## What labels can be") {
		for _, match := range quoted.FindAllStringSubmatch(row[0], -1) {
			bounds[match[1]] = true
		}
		require.Regexp(t, `^\d+$`, row[2], "the bound of %s", row[0])
	}
	metrics := map[string][]string{}
	for _, row := range rows(t, "docs/metrics.md", "## What the service reports") {
		name := strings.Trim(row[0], "`")
		require.Regexp(t, `^clinic_[a-z_]+$`, name)
		require.Contains(t, []string{"there", "planned"}, row[3], name)
		own := []string{}
		for _, match := range quoted.FindAllStringSubmatch(row[2], -1) {
			require.True(t, bounds[match[1]], "label %s of %s has no bound", match[1], name)
			own = append(own, match[1])
		}
		metrics[name] = own
		if row[1] == "histogram" {
			metrics[name+"_bucket"] = append(slices.Clone(own), "le")
			metrics[name+"_count"], metrics[name+"_sum"] = own, own
		}
	}
	return metrics
}

var quoted = regexp.MustCompile("`([^`]+)`")

type rule struct {
	Record      string            `json:"record"`
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func ruleFile(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	require.NoError(t, yaml.UnmarshalStrict([]byte(text(t, "deploy/monitoring/rules.yaml")), &file))
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	require.NotEmpty(t, all)
	return all
}

func alerts(t *testing.T) map[string]rule {
	t.Helper()
	found := map[string]rule{}
	for _, r := range ruleFile(t) {
		if r.Alert != "" {
			require.NotContains(t, found, r.Alert)
			found[r.Alert] = r
		}
	}
	return found
}

// requireKnown asserts that a query asks only for metrics, and for labels of them, that there are.
func requireKnown(t *testing.T, query string, known map[string][]string) {
	t.Helper()
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	require.NoError(t, err, query)
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			own, found := known[selector.Name]
			require.True(t, found, "%s is no metric: %s", selector.Name, query)
			for _, matcher := range selector.LabelMatchers {
				// The last two are those that the collector adds.
				require.Contains(t, append([]string{labels.MetricName, "job", "instance"}, own...), matcher.Name, query)
			}
		}
		return nil
	})
}

// knownMetrics returns what can be asked for: what the table has, what others report, what rules record.
func knownMetrics(t *testing.T) map[string][]string {
	t.Helper()
	known := metricsTable(t)
	for name, own := range ofOthers {
		known[name] = own
	}
	for _, r := range ruleFile(t) {
		if r.Record != "" {
			known[r.Record] = []string{"class"}
		}
	}
	return known
}

func TestRulesAskForMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	known := knownMetrics(t)
	for _, r := range ruleFile(t) {
		requireKnown(t, r.Expr, known)
	}
}

// TestEveryAlertHasAPage, and every page an alert; the page says the same severity, and answers all four questions.
func TestEveryAlertHasAPage(t *testing.T) {
	t.Parallel()
	all := alerts(t)
	files, err := filepath.Glob(filepath.Join(root, "docs/alerts/*.md"))
	require.NoError(t, err)
	for _, file := range files {
		require.Contains(t, all, strings.TrimSuffix(filepath.Base(file), ".md"))
	}
	require.Len(t, files, len(all))
	for name, alert := range all {
		require.Equal(t, "docs/alerts/"+name+".md", alert.Annotations["page"])
		page := text(t, alert.Annotations["page"])
		require.Contains(t, []string{"page", "ticket"}, alert.Labels["severity"])
		require.True(t, strings.HasPrefix(page, "# "+name+"\n\nSeverity: "+alert.Labels["severity"]+".\n"), name)
		for _, heading := range []string{"What it means", "How to look", "What to do", "When to wake whom"} {
			require.Regexp(t, "\n## "+heading+"\n\n\\S", page, name)
		}
	}
}

// TestEveryAlertIsTested: each fires in one case of the unit tests at least, and is silent in another.
func TestEveryAlertIsTested(t *testing.T) {
	t.Parallel()
	var file struct {
		Tests []struct {
			Cases []struct {
				Name     string `json:"alertname"`
				Expected []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		} `json:"tests"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(text(t, "deploy/monitoring/rules_test.yaml")), &file))
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, c := range test.Cases {
			if len(c.Expected) > 0 {
				fires[c.Name] = true
			} else {
				silent[c.Name] = true
			}
		}
	}
	for name := range alerts(t) {
		require.True(t, fires[name], "%s never fires", name)
		require.True(t, silent[name], "%s is never silent", name)
	}
}

// TestRules runs the unit tests of the rules with the tool of Prometheus.
func TestRules(t *testing.T) {
	t.Parallel()
	tool, err := exec.CommandContext(t.Context(), filepath.Join(root, "scripts/promtool")).Output()
	require.NoError(t, err, "there is no promtool, and it cannot be had")
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "rules_test.yaml"}} {
		command := exec.CommandContext(t.Context(), strings.TrimSpace(string(tool)), args...) //nolint:gosec // what the script found
		command.Dir = filepath.Join(root, "deploy/monitoring")
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
	}
}

// TestOperatorGetsTheSameRules: the object for the Prometheus operator holds what the plain file holds. UPDATE_RULES=1 writes
// it anew.
func TestOperatorGetsTheSameRules(t *testing.T) {
	t.Parallel()
	const path = "deploy/monitoring/prometheusrule.yaml"
	plain := text(t, "deploy/monitoring/rules.yaml")
	_, groups, found := strings.Cut(plain, "\ngroups:\n")
	require.True(t, found)
	var b strings.Builder
	b.WriteString("# Made from rules.yaml by UPDATE_RULES=1 go test -C test/deploy -run TestOperatorGetsTheSameRules.\n" +
		"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: clinic\nspec:\n  groups:\n")
	for line := range strings.Lines(groups) {
		if strings.TrimSpace(line) != "" {
			line = "  " + line
		}
		b.WriteString(line)
	}
	if os.Getenv("UPDATE_RULES") != "" {
		require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(b.String()), 0o600))
	}
	require.Equal(t, b.String(), text(t, path))
	var object monitoring.PrometheusRule
	require.NoError(t, yaml.UnmarshalStrict([]byte(text(t, path)), &object))
	require.Len(t, object.Spec.Groups, 2)
}

// TestDashboardsAskForMetricsThatThereAre also holds that every metric of the table can be seen somewhere.
func TestDashboardsAskForMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	known := knownMetrics(t)
	files, err := filepath.Glob(filepath.Join(root, "deploy/monitoring/dashboards/*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var shown strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file) //nolint:gosec // a file of the repository
		require.NoError(t, err)
		var dashboard struct {
			UID    string `json:"uid"`
			Panels []struct {
				ID      int    `json:"id"`
				Type    string `json:"type"`
				Title   string `json:"title"`
				Targets []struct {
					Expr string `json:"expr"`
				} `json:"targets"`
			} `json:"panels"`
		}
		require.NoError(t, json.Unmarshal(content, &dashboard))
		require.NotEmpty(t, dashboard.UID)
		ids := map[int]bool{}
		for _, panel := range dashboard.Panels {
			require.False(t, ids[panel.ID], "panel %d of %s twice", panel.ID, file)
			ids[panel.ID] = true
			require.Equal(t, panel.Type != "row", len(panel.Targets) > 0, panel.Title)
			for _, target := range panel.Targets {
				requireKnown(t, target.Expr, known)
				shown.WriteString(target.Expr + "\n")
			}
		}
	}
	for _, row := range rows(t, "docs/metrics.md", "## What the service reports") {
		require.Contains(t, shown.String(), strings.Trim(row[0], "`"), "no picture shows it")
	}
}
