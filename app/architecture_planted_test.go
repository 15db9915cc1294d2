package app_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEachRuleFindsWhatBreaksIt plants a violation of each rule, and what comes close to one.
func TestEachRuleFindsWhatBreaksIt(t *testing.T) {
	t.Parallel()
	many := func(line string, count int) string { return strings.Repeat(line+"\n", count) }
	var names strings.Builder
	for i := range maxExports + 1 {
		names.WriteString("const Name" + strconv.Itoa(i) + " = 0\n")
	}
	for _, test := range []struct{ path, code, found string }{
		{"clinics/planted.go", `import "` + module + `patients"`, "it does not stand below"},
		{"clinics/planted.go", `import "` + module + `census"`, ""},
		{"store/planted.go", `import "` + module + `store/inner"`, ""},
		{"app/planted.go", `import "` + module + `client"`, "it does not stand below"},
		{"clinics/planted_test.go", `import "` + module + `api"`, ""},
		{"patients/planted.go", `import "net/http"`, "no domain knows HTTP"},
		{"patients/planted.go", `import "github.com/labstack/echo/v4"`, "only api knows Echo"},
		{"redox/planted.go", `import "` + module + `api/gen"`, "only api knows Echo"},
		{"census/planted.go", `import "github.com/prometheus/client_golang/prometheus"`, "domains count in tallies"},
		{"store/planted.go", `import "go.opentelemetry.io/otel"`, "only traces knows OpenTelemetry"},
		{"app/planted.go", `import "` + module + `internal/testkit"`, "it is for tests"},
		{"helpers/planted.go", ``, "has no place in the order"},
		{"roster/planted.go", many("//", maxLines), "lines"},
		{"roster/planted.go", "func long() {\n" + many("_ = 0", maxBody-1) + "}", "long has 61 lines"},
		{"roster/planted.go", "func fits() {\n" + many("_ = 0", maxBody-2) + "}", ""},
		{"roster/planted_test.go", "func long() {\n" + many("_ = 0", maxTestBody-1) + "}", "long has 101 lines"},
		{"roster/planted.go", names.String(), "61 exported names"},
		{"roster/planted.go", "type Other struct{}\ntype Service struct { *Other }", "Service exports Other once more"},
		{"roster/planted.go", "type other struct{}\ntype Service struct { *other; Peer *Service }", ""},
	} {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, test.path, "package planted\n"+test.code, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		found := strings.Join(violations([]source{{path: test.path, pkg: filepath.ToSlash(filepath.Dir(test.path)), set: set, file: file}}), "\n")
		if test.found == "" {
			require.Empty(t, found, test.code)
		} else {
			require.Contains(t, found, test.found, test.code)
		}
	}
}
