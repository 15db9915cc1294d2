package events_test

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
	"github.com/tidepool-org/clinic/test/faults/wire"
)

const shardsPage = "../../docs/sharding.md"

// byClinic are the collections whose shard key would be the clinic.
var byClinic = []string{"clinicians", "patients"}

// TestQueriesThatWouldAskEveryShard plays the rows of the events once more, and everything that reads, and holds docs/sharding.md
// against what the database is asked then.
func TestQueriesThatWouldAskEveryShard(t *testing.T) {
	t.Parallel()
	proxy, err := wire.Start(testkit.Store("").Addresses)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) {
		c.Store.Addresses, c.Demo.PatientUserID = proxy.Address(), demo
	}))
	app.Standin.AddUser(standin.User{UserID: demo, Username: "demo@example.com", Emails: []string{"demo@example.com"}, PasswordExists: true})
	app.Standin.AddProfile(demo, object{"fullName": "Demi Demo", "patient": object{"birthday": "1990-05-06"}})
	found := map[string]bool{}
	watched := func(operation string, call func() testkit.Response) {
		proxy.Forget()
		answer := call()
		require.Less(t, answer.Status, http.StatusMultipleChoices, "%s: %s", operation, answer.Body)
		for _, line := range everywhere(t, proxy.Commands()) {
			found["| "+operation+" | "+line+" |"] = true
		}
	}
	for _, r := range rows() {
		s := newStage(t, app)
		r.stage(s)
		watched(r.operation, func() testkit.Response { return r.call(s) })
		s.clear()
	}
	s := newStage(t, app)
	readable(s)
	for _, o := range operations(t) {
		if o.method != http.MethodGet || o.id == "ViewPDFReport" || o.id == "FollowEvents" { // the one has a row, the other asks nothing
			continue
		}
		caller := testkit.Service
		if o.id == "FindPatients" {
			caller = s.as("admin") // it is not for services
		}
		watched(o.id, func() testkit.Response { return s.send(caller, "GET "+o.path+queries[o.id], nil) })
	}
	lines := slices.Sorted(maps.Keys(found))
	require.Equal(t, shardsTable(t), lines, "this is the table:\n%s", strings.Join(lines, "\n"))
}

// shardsTable returns the rows of the page, without what they say about why.
func shardsTable(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(shardsPage)
	require.NoError(t, err)
	_, after, found := strings.Cut(string(content), "\n| Operation | Asks | By |")
	require.True(t, found)
	var lines []string
	for i, line := range strings.Split(after, "\n") {
		if i < 2 { // the rest of the head, and the rule
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) < 5 {
			break
		}
		lines = append(lines, strings.Join(cells[:4], "|")+"|")
	}
	slices.Sort(lines)
	return lines
}

// everywhere returns the queries among the commands that do not say of which clinic, as the collection and the fields by
// which it is asked.
func everywhere(t *testing.T, commands []wire.Command) []string {
	t.Helper()
	var lines []string
	for _, command := range commands {
		for _, collection := range byClinic {
			// The database cannot know beforehand which shards a stage asks.
			if command.Name == "aggregate" && strings.Contains(command.Body.Lookup("pipeline").String(), `"from": "`+collection+`"`) {
				lines = append(lines, "`"+collection+"` | `$lookup`")
			}
		}
		if !slices.Contains(byClinic, command.Collection) {
			continue
		}
		for _, filter := range filters(t, command) {
			if fields := fieldsOf(filter); !slices.Contains(fields, "clinicId") {
				lines = append(lines, "`"+command.Collection+"` | `"+strings.Join(fields, "`, `")+"`")
			}
		}
	}
	return lines
}

// filters returns which documents the statements of a command are about. A command that is not known here fails the test.
func filters(t *testing.T, command wire.Command) []bson.Raw {
	t.Helper()
	document := func(body bson.Raw, field string) bson.Raw {
		filter, _ := body.Lookup(field).DocumentOK()
		return filter
	}
	switch command.Name {
	case "insert", "getMore", "killCursors", "createIndexes", "listIndexes", "create":
		return nil // documents say their clinic; the others ask who was asked before, or belong to no request
	case "find":
		return []bson.Raw{document(command.Body, "filter")}
	case "count", "distinct", "findAndModify":
		return []bson.Raw{document(command.Body, "query")}
	case "update", "delete":
		var all []bson.Raw
		for _, statement := range command.Statements() {
			all = append(all, document(statement, "q"))
		}
		return all
	case "aggregate":
		first, ok := command.Body.Lookup("pipeline", "0").DocumentOK()
		require.True(t, ok)
		return []bson.Raw{document(first, "$match")}
	}
	require.Fail(t, "an unknown command", "%s", command)
	return nil
}

// fieldsOf returns the fields that a filter names, sorted, also those within $and and $or. A clinic counts only where all that
// is found has to be of it, so not within $or.
func fieldsOf(filter bson.Raw) []string {
	named := map[string]bool{}
	collectFields(filter, named, true)
	if len(named) == 0 {
		return []string{"everything"}
	}
	return slices.Sorted(maps.Keys(named))
}

func collectFields(filter bson.Raw, named map[string]bool, required bool) {
	elements, _ := filter.Elements()
	for _, element := range elements {
		switch key := element.Key(); key {
		case "$and", "$or", "$nor":
			list, _ := element.Value().ArrayOK()
			values, _ := list.Values()
			for _, value := range values {
				inner, _ := value.DocumentOK()
				collectFields(inner, named, required && key == "$and")
			}
		case "clinicId":
			if required && isPinned(element.Value()) {
				named[key] = true
			} else {
				named["clinicId of several"] = true
			}
		default:
			named[key] = true
		}
	}
}

// isPinned reports whether a condition says one clinic.
func isPinned(condition bson.RawValue) bool {
	if _, ok := condition.ObjectIDOK(); ok {
		return true
	}
	operators, ok := condition.DocumentOK()
	if !ok {
		return false
	}
	_, ok = operators.Lookup("$eq").ObjectIDOK()
	return ok
}

func TestFieldsOfFilters(t *testing.T) {
	t.Parallel()
	id := bson.NewObjectID()
	tests := map[string]struct {
		filter bson.M
		fields []string
	}{
		"a clinic":           {bson.M{"clinicId": id, "userId": "u"}, []string{"clinicId", "userId"}},
		"the same, in words": {bson.M{"$and": bson.A{bson.M{"clinicId": bson.M{"$eq": id}}, bson.M{"userId": "u"}}}, []string{"clinicId", "userId"}},
		"one or another":     {bson.M{"$or": bson.A{bson.M{"clinicId": id}, bson.M{"userId": "u"}}}, []string{"clinicId of several", "userId"}},
		"several":            {bson.M{"clinicId": bson.M{"$in": bson.A{id}}}, []string{"clinicId of several"}},
		"all":                {bson.M{}, []string{"everything"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			filter, err := bson.Marshal(test.filter)
			require.NoError(t, err)
			require.Equal(t, test.fields, fieldsOf(filter))
		})
	}
}
