package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCompare: each way in which the database can differ from what was answered is found, and nothing else is.
func TestCompare(t *testing.T) {
	t.Parallel()
	first, second := shape{"First", "a"}, shape{"Second", "b"}
	certain := func() *record { return &record{clinic: "c", id: "i", mrn: "m", shapes: []shape{first}} }
	changed := func(change func(*record)) *record {
		r := certain()
		change(r)
		return r
	}
	there := stored{"c", "i", "m", first}
	tests := map[string]struct {
		record   *record
		patients []stored
		wrong    string // "" means that all is well
	}{
		"as answered":                    {certain(), []stored{there}, ""},
		"lost":                           {certain(), nil, "m is lost"},
		"twice":                          {certain(), []stored{there, there}, "m is there twice"},
		"another account":                {certain(), []stored{{"c", "other", "m", first}}, "m is another patient than was answered"},
		"another clinic":                 {certain(), []stored{{"other", "i", "m", first}}, "m is another patient than was answered"},
		"an update lost":                 {changed(func(r *record) { r.shapes = []shape{second} }), []stored{there}, "m is {First a}, and should be one of [{Second b}]"},
		"an update without answer":       {changed(func(r *record) { r.shapes = append(r.shapes, second) }), []stored{there}, ""},
		"the same, carried out":          {changed(func(r *record) { r.shapes = append(r.shapes, second) }), []stored{{"c", "i", "m", second}}, ""},
		"half of an update":              {changed(func(r *record) { r.shapes = append(r.shapes, second) }), []stored{{"c", "i", "m", shape{"First", "b"}}}, "m is {First b}, and should be one of [{First a} {Second b}]"},
		"removed":                        {changed(func(r *record) { r.gone = true }), nil, ""},
		"undead":                         {changed(func(r *record) { r.gone = true }), []stored{there}, "m was removed and is there"},
		"a removal without answer":       {changed(func(r *record) { r.unsure = true }), nil, ""},
		"a creation without answer":      {changed(func(r *record) { r.unsure, r.id = true, "" }), nil, ""},
		"the same, carried out under it": {changed(func(r *record) { r.unsure, r.id = true, "" }), []stored{there}, ""},
		"nobody's":                       {certain(), []stored{there, {"c", "x", "n", first}}, "nobody created n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong := compare([]*record{test.record}, test.patients)
			if test.wrong == "" {
				require.Empty(t, wrong)
			} else {
				require.Equal(t, []string{test.wrong}, wrong)
			}
		})
	}
}

// TestOnlySettledRecordsAreUsed: a write that nobody answered may still come, and would spoil what is known.
func TestOnlySettledRecordsAreUsed(t *testing.T) {
	t.Parallel()
	l := &ledger{caller: 7}
	r := l.open("c", shape{"First", "a"})
	require.Equal(t, "E007-000001", r.mrn)
	require.Nil(t, l.some(0), "the creation is not answered")
	r.id, r.unsure = "i", false
	require.Same(t, r, l.some(12))
	r.shapes = append(r.shapes, shape{"Second", "b"})
	require.Nil(t, l.some(0))
}
