package app_test

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// family is a metric as it is reported, or as the table has it.
type family struct {
	kind   string
	labels []string
	values map[string][]string // of each label, as reported
}

var (
	sample = regexp.MustCompile(`^(clinic_[a-z_]+)(?:\{(.*)\})? \S+$`)
	label  = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
	quoted = regexp.MustCompile("`([^`]+)`")
)

// get returns the body of an answer.
func get(t *testing.T, url string, header http.Header) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Header = header
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	var body strings.Builder
	_, err = bufio.NewReader(answer.Body).WriteTo(&body)
	require.NoError(t, err)
	return answer.StatusCode, body.String()
}

// reportedFamilies reads /metrics.
func reportedFamilies(t *testing.T, url string) map[string]*family {
	t.Helper()
	status, body := get(t, url+"/metrics", nil)
	require.Equal(t, http.StatusOK, status)
	families := map[string]*family{}
	for _, line := range strings.Split(body, "\n") {
		if name, ok := strings.CutPrefix(line, "# TYPE clinic_"); ok {
			words := strings.Fields(name)
			families["clinic_"+words[0]] = &family{kind: words[1], values: map[string][]string{}}
			continue
		}
		found := sample.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		f := families[found[1]]
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if f == nil {
				f = families[strings.TrimSuffix(found[1], suffix)]
			}
		}
		require.NotNil(t, f, line)
		for _, match := range label.FindAllStringSubmatch(found[2], -1) {
			if !slices.Contains(f.values[match[1]], match[2]) {
				f.values[match[1]] = append(f.values[match[1]], match[2])
			}
			if match[1] != "le" && !slices.Contains(f.labels, match[1]) {
				f.labels = append(f.labels, match[1])
			}
		}
	}
	return families
}

// tableOf returns the rows of a table under a heading of docs/metrics.md.
func tableOf(t *testing.T, heading string) [][]string {
	t.Helper()
	content, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	_, below, found := strings.Cut(string(content), heading+"\n")
	require.True(t, found, heading)
	below, _, _ = strings.Cut(below, "\n## ")
	var rows [][]string
	for _, line := range strings.Split(below, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 3 && strings.Contains(cells[1], "`") {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells[1:len(cells)-1])
		}
	}
	require.NotEmpty(t, rows)
	return rows
}

// busyService starts a service and makes it do something of everything that has a metric only once it happened.
func busyService(t *testing.T) *testkit.App {
	t.Helper()
	app := testkit.Start(t)
	for _, path := range []string{"/v1/clinics?limit=1", "/v1/clinics/5f85fbe6686e6bb9170ab5d0", "/nowhere"} {
		get(t, app.URL+path, http.Header{"X-Tidepool-Session-Token": {"server"}})
	}
	return app
}

// TestMetricsAreThoseOfTheTable holds docs/metrics.md against the registry, both ways.
func TestMetricsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	app := busyService(t)
	documented := map[string]*family{}
	for _, row := range tableOf(t, "## What the service reports") {
		require.Equal(t, "there", row[3], row[0])
		f := &family{kind: row[1]}
		for _, match := range quoted.FindAllStringSubmatch(row[2], -1) {
			f.labels = append(f.labels, match[1])
		}
		documented[strings.Trim(row[0], "`")] = f
	}
	var reported map[string]*family
	require.EventuallyWithT(t, func(c *assert.CollectT) { // gauges of indexes come with their first refresh
		reported = reportedFamilies(t, app.URL)
		assert.Len(c, reported, len(documented))
	}, 20*time.Second, 200*time.Millisecond)
	for name, f := range documented {
		require.Contains(t, reported, name)
		require.Equal(t, f.kind, reported[name].kind, name)
		require.ElementsMatch(t, f.labels, reported[name].labels, name)
	}
}

// TestLabelsKeepTheirBounds also holds that each listed value is documented.
func TestLabelsKeepTheirBounds(t *testing.T) {
	t.Parallel()
	app := busyService(t)
	bounds, words := map[string]int{}, map[string]string{}
	for _, row := range tableOf(t, "## What labels can be") {
		most, err := strconv.Atoi(row[2])
		require.NoError(t, err)
		for _, match := range quoted.FindAllStringSubmatch(row[0], -1) {
			bounds[match[1]], words[match[1]] = most, row[1]
		}
	}
	listed := []string{"party", "state", "reason", "scope"}
	for name, f := range reportedFamilies(t, app.URL) {
		for label, values := range f.values {
			require.Contains(t, bounds, label, name)
			require.LessOrEqual(t, len(values), bounds[label], "%s of %s: %v", label, name, values)
			for _, value := range values {
				if slices.Contains(listed, label) || label == "operation" && strings.HasPrefix(name, "clinic_database") {
					require.Contains(t, words[label], "`"+value+"`", "%s of %s", label, name)
				}
				require.NotContains(t, value, "5f85fbe6686e6bb9170ab5d0", name)
			}
		}
	}
}

// value returns the value of a metric as it is reported, such as `clinic_ready`.
func value(t *testing.T, url, metric string) float64 {
	t.Helper()
	_, body := get(t, url+"/metrics", nil)
	for _, line := range strings.Split(body, "\n") {
		if rest, ok := strings.CutPrefix(line, metric+" "); ok {
			n, err := strconv.ParseFloat(rest, 64)
			require.NoError(t, err)
			return n
		}
	}
	return -1
}
