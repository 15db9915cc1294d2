package main

import (
	"strings"
	"testing"
)

func TestTypes(t *testing.T) {
	t.Parallel()
	d := description{Shapes: map[string]any{
		"Code": map[string]any{"Code!": "string", "Codeset": "string?"},
	}}
	tests := []struct {
		value any
		want  string
	}{
		{map[string]any{"A!": "string"}, "struct { A string `json:\"A\"` }"},
		{map[string]any{"A!": "string?"}, "struct { A *string `json:\"A\"` }"},
		{map[string]any{"A": "string?"}, "struct { A *string `json:\"A\"` }"},
		{map[string]any{"A": "number"}, "struct { A *float32 `json:\"A,omitempty\"` }"},
		{map[string]any{"B": "boolean?", "A": []any{"any"}}, "struct { A *[]interface{} `json:\"A,omitempty\"` B *bool `json:\"B\"` }"},
		{map[string]any{"A": "object"}, "struct { A *map[string]interface{} `json:\"A,omitempty\"` }"},
		{map[string]any{"A": "any"}, "struct { A interface{} `json:\"A,omitempty\"` }"},
		{map[string]any{"A!": []any{"Code"}}, "struct { A []struct { Code string `json:\"Code\"` Codeset *string `json:\"Codeset\"` } `json:\"A\"` }"},
	}
	for _, test := range tests {
		got, err := d.goType(test.value)
		if err != nil {
			t.Fatal(err)
		}
		if got = strings.Join(strings.Fields(got), " "); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	for _, value := range []any{nil, 1.0, "strin", "Nothing", []any{}, []any{"any", "any"}, map[string]any{"A": "Nothing"}} {
		if got, err := d.goType(value); err == nil {
			t.Errorf("%v became %s", value, got)
		}
	}
}
