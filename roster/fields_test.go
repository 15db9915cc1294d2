package roster

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/summary"
)

// The interface document must offer the filters that the table knows, and no others.
func TestTheInterfaceDocumentAgreesWithTheTable(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromFile("../api/clinic.v1.yaml")
	require.NoError(t, err)
	operation := document.Paths.Find("/v1/clinics/{clinicId}/patients").Get

	documented := map[string]string{}
	for _, parameter := range operation.Parameters {
		if name := parameter.Value.Name; strings.HasPrefix(name, "cgm.") || strings.HasPrefix(name, "bgm.") {
			documented[name] = parameter.Value.Schema.Ref
			if parameter.Value.Schema.Ref == "" {
				documented[name] = parameter.Value.Schema.Value.Format
			}
		}
	}
	forms := map[valueType]string{decimal: "#/components/schemas/FloatFilter", whole: "#/components/schemas/IntFilter", instant: "date-time"}
	known := map[string]string{}
	for name, parameter := range filterParameters {
		known[name] = forms[parameter.field.value]
	}
	// COMPAT: the document has always wanted a whole number here.
	known["bgm.averageDailyRecordsDelta"] = forms[whole]
	require.Equal(t, documented, known)

	description := strings.Join(strings.Fields(operation.Description), " ")
	for _, kind := range bothDevices {
		for name := range sortFields[kind] {
			require.True(t, isDescribed(description, name), "the document does not say that %s can be sorted by", name)
		}
	}
}

// isDescribed reports whether a text names an attribute, or the family that it belongs to: timeInLow… for
// timeInLowPercentDelta.
func isDescribed(description, name string) bool {
	name = strings.TrimSuffix(name, "Delta")
	if strings.Contains(description, "`"+name+"`") {
		return true
	}
	for _, unit := range []string{"Percent", "Records", "Minutes"} {
		if family, ok := strings.CutSuffix(name, unit); ok && strings.Contains(description, "`"+family+"…`") {
			return true
		}
	}
	return false
}

func TestHowManyAttributesCanBeSortedBy(t *testing.T) {
	t.Parallel()
	require.Len(t, sortFields[summary.CGM], 77)
	require.Len(t, sortFields[summary.BGM], 53)
}

// MongoDB allows 64 indexes for a collection, and every one makes writes slower.
func TestThereAreNotTooManyIndexes(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, set := range append(patients.Indexes(), Indexes()...) {
		if set.Collection != patients.CollectionName {
			continue
		}
		for _, index := range set.Indexes {
			require.False(t, names[index.Name], index.Name)
			names[index.Name] = true
		}
	}
	require.Less(t, len(names), 60)
}
