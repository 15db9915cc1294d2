package clinicians

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	member := func(age time.Duration, email, name string) *Clinician {
		c := &Clinician{CreatedTime: time.Unix(1_700_000_000, 0).Add(-age)}
		if email != "-" {
			c.Email = &email
		}
		if name != "-" {
			c.Name = &name
		}
		return c
	}
	ida := member(5, "ida@west.example.com", "Ida Østergård")
	kim := member(4, "kim.jones@west.example.com", "Kim (locum)")
	emil := member(3, "emil+work@south.example.org", "Émil Élan")
	bot := member(2, "-", "West Bridge")
	invite := member(1, "Ida.Berg@north-west.example.net", "-")
	nobody := member(0, "", "-")
	all := []*Clinician{nobody, invite, bot, emil, kim, ida}
	for text, want := range map[string][]*Clinician{
		"ida":                  {ida, invite}, // ida has it in the name too
		"IDA":                  {ida, invite},
		"wes":                  {bot}, // a part of a word counts in names only
		"west":                 {invite, bot, kim, ida},
		"west ida":             {invite, ida, kim}, // the best first
		"ida kim":              {invite, kim, ida},
		"ida@west.example.com": {ida},
		"kim.jones":            {kim},
		"north-west":           {invite},
		"work":                 {emil},
		"élan":                 {emil},
		"ÉMIL é":               {emil},
		"østergård":            {ida},
		"(loc":                 {kim},
		".*":                   nil,
		"bridge":               {bot},
		"  west bridge ":       {bot, invite, kim, ida}, // its whole name, against a word of an address
		"@":                    nil,
		" ":                    nil,
		"zanzibar":             nil,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, names(want), names(newSearch(text).apply(all)))
		})
	}
}

func names(members []*Clinician) []string {
	list := []string{}
	for _, c := range members {
		name := ""
		if c.Email != nil {
			name = *c.Email
		}
		if c.Name != nil {
			name += " " + *c.Name
		}
		list = append(list, name)
	}
	return list
}
