package faults_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
)

// state is all that is stored, in a form in which two runs can be compared: one line for each document, without what has to
// differ. Ids and generated user ids are replaced by the name of what they stand for, times by a word.
type state []string

// accountsName stands for the accounts at the user service in a state.
const accountsName = "accounts"

var (
	generated = regexp.MustCompile(`^([0-9a-f]{10}|[0-9a-f]{24})$`)
	shareCode = regexp.MustCompile(`^[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}$`)
)

// state returns what is stored now.
func (s *scene) state() state {
	s.Helper()
	stored := s.stored()
	labels := label(stored)
	var lines state
	for collection, documents := range stored {
		for _, document := range documents {
			lines = append(lines, collection+" "+labels.render("", document))
		}
	}
	sort.Strings(lines)
	return lines
}

func (s *scene) stored() map[string][]any {
	s.Helper()
	stored := s.documents()
	delete(stored, creations)
	var memory bytes.Buffer
	require.NoError(s, s.app.Standin.Save(&memory))
	var neighbours struct {
		Users map[string]map[string]any `json:"users"`
	}
	require.NoError(s, json.Unmarshal(memory.Bytes(), &neighbours))
	for _, user := range neighbours.Users {
		var document bson.D
		for key, value := range user {
			document = append(document, bson.E{Key: key, Value: value})
		}
		stored[accountsName] = append(stored[accountsName], document)
	}
	return stored
}

// labels names what has an id.
type labels map[string]string

// label finds the name of whatever has an id and a name.
func label(stored map[string][]any) labels {
	found := map[string][]string{}
	for _, documents := range stored {
		for _, document := range documents {
			walk(document, func(d bson.D) {
				name := nameOf(d)
				for _, e := range d {
					if id, ok := idText(e.Value); ok && name != "" && slices.Contains([]string{"_id", "id", "userId"}, e.Key) {
						found[id] = append(found[id], name)
					}
				}
			})
		}
	}
	made := labels{}
	for id, names := range found {
		slices.Sort(names)
		made[id] = "<" + strings.Join(slices.Compact(names), "|") + ">"
	}
	return made
}

func nameOf(d bson.D) string {
	for _, key := range []string{"fullName", "name", "email", "inviteId"} {
		for _, e := range d {
			if text, ok := e.Value.(string); ok && e.Key == key && text != "" {
				return text
			}
		}
	}
	return ""
}

func walk(value any, visit func(bson.D)) {
	switch v := value.(type) {
	case bson.D:
		visit(v)
		for _, e := range v {
			walk(e.Value, visit)
		}
	case bson.A:
		for _, e := range v {
			walk(e, visit)
		}
	}
}

// idText returns an id or a generated user id as text.
func idText(value any) (string, bool) {
	switch v := value.(type) {
	case bson.ObjectID:
		return v.Hex(), true
	case string:
		_, known := names[v]
		return v, !known && generated.MatchString(v)
	default:
		return "", false
	}
}

// creations is the collection of what is known about patients who are being created. What is in it waits for a repeat, and the
// database forgets it.
const creations = "patient_creations"

// bookkeeping are parts of documents in which a call and its repeat leave more traces than one call: how often the census of a
// clinic was changed.
var bookkeeping = []string{"/changes"}

func (l labels) render(path string, value any) string {
	if id, ok := idText(value); ok {
		return l.of(id)
	}
	switch v := value.(type) {
	case bson.D:
		return l.renderDocument(path, v)
	case bson.A:
		parts := make([]string, 0, len(v))
		for _, e := range v {
			parts = append(parts, l.render(path, e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case bson.DateTime:
		return "<time>"
	case string:
		if shareCode.MatchString(v) {
			return "<share code>"
		}
		return fmt.Sprintf("%q", v)
	default:
		return fmt.Sprintf("%T(%v)", v, v)
	}
}

func (l labels) renderDocument(path string, d bson.D) string {
	parts := make([]string, 0, len(d))
	for _, e := range d {
		if slices.Contains(bookkeeping, path+"/"+e.Key) {
			continue
		}
		key := e.Key
		if generated.MatchString(key) {
			key = l.of(key)
		}
		parts = append(parts, key+": "+l.render(path+"/"+e.Key, e.Value))
	}
	sort.Strings(parts)
	return "{" + strings.Join(parts, ", ") + "}"
}

func (l labels) of(id string) string {
	if label, ok := l[id]; ok {
		return label
	}
	return "<id>"
}

// without returns the state without some collections.
func (s state) without(collections ...string) state {
	return slices.DeleteFunc(slices.Clone(s), func(line string) bool {
		collection, _, _ := strings.Cut(line, " ")
		return slices.Contains(collections, collection)
	})
}

// minus returns the lines that the other state has not, or not as often, each with a prefix.
func (s state) minus(other state, prefix string) []string {
	left := map[string]int{}
	for _, line := range other {
		left[line]++
	}
	var lines []string
	for _, line := range s {
		if left[line]--; left[line] < 0 {
			lines = append(lines, prefix+line)
		}
	}
	return lines
}

// only returns the part of the state that is one collection.
func (s state) only(collection string) state {
	return slices.DeleteFunc(slices.Clone(s), func(line string) bool { return !strings.HasPrefix(line, collection+" ") })
}

// withoutOrphans returns the state without documents of some collections that belong to no clinic that is stored.
func (s *scene) withoutOrphans(from state, collections []string) state {
	s.Helper()
	live := map[bson.ObjectID]bool{}
	stored := s.stored()
	for _, clinic := range stored[clinics.CollectionName] {
		live[value(clinic.(bson.D), "_id").(bson.ObjectID)] = true
	}
	labels := label(stored)
	for _, collection := range collections {
		for _, document := range stored[collection] {
			owner := "clinicId"
			if collection == census.CollectionName {
				owner = "_id"
			}
			if id, _ := value(document.(bson.D), owner).(bson.ObjectID); live[id] {
				continue
			}
			line := collection + " " + labels.render("", document)
			if i := slices.Index(from, line); i >= 0 {
				from = slices.Delete(slices.Clone(from), i, i+1)
			}
		}
	}
	return from
}

func value(d bson.D, key string) any {
	for _, e := range d {
		if e.Key == key {
			return e.Value
		}
	}
	return nil
}
