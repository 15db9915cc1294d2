package xealth

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNeedsGuardian(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		born, now string
		needs     bool
	}{
		{"2010-05-17", "2023-05-16T23:59:59Z", true},
		{"2010-05-17", "2023-05-17T00:00:00Z", false},
		{"2010-05-17", "2023-05-16T20:00:00-05:00", false}, // it is the 17th in UTC
		{"2012-02-29", "2025-02-28T23:59:59Z", true},
		{"2012-02-29", "2025-03-01T00:00:00Z", false},
		{"2090-01-01", "2025-03-01T00:00:00Z", true},
		{"1900-01-01", "2025-03-01T00:00:00Z", false},
	} {
		now, err := time.Parse(time.RFC3339, test.now)
		require.NoError(t, err)
		require.Equal(t, test.needs, needsGuardian(Date(test.born), now), test)
	}
}

func TestFullName(t *testing.T) {
	t.Parallel()
	for want, name := range map[string]*HumanName{
		"":                      nil,
		"Marta":                 {Given: []string{"Marta"}},
		"Quist":                 {Given: []string{}, Family: []string{"Quist"}},
		"Marta Ada van Quist":   {Given: []string{"Marta", "Ada"}, Family: []string{"van", "Quist"}},
		"Marta   Quist":         {Given: []string{" Marta "}, Family: []string{" Quist "}},
		"FirstName LastName No": {Given: []string{"", "FirstName", "\u200b"}, Family: []string{"LastName", " ", "No", ""}},
		"LastName":              {Given: []string{"", " "}, Family: []string{"LastName"}},
	} {
		require.Equal(t, want, Demographics{Name: name}.fullName())
	}
}

func TestEmail(t *testing.T) {
	t.Parallel()
	value := func(text string) *string { return &text }
	require.Empty(t, Demographics{}.email())
	require.Equal(t, "b@x.example", Demographics{Telecom: []Telecom{
		{System: "phone", Value: value("1")}, {System: "email"}, {System: "email", Value: value("")}, {System: "email", Value: value(" \t")}, {System: "Email", Value: value("a@x.example")},
		{System: "email", Value: value("b@x.example")}, {System: "email", Value: value("c@x.example")},
	}}.email())
}
