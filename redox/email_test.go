package redox

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestEmailOfAnOrder(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)
	own, guardians := bson.A{"own@example.com", "second@example.com"}, bson.A{"Gus Guardian <gus@example.com>"}
	tests := map[string]struct {
		born           any
		own, guardians any
		want           string
		fails          bool
	}{
		"adult":                       {"1980-01-01", own, guardians, "own@example.com", false},
		"child":                       {"2020-01-01", own, guardians, "gus@example.com", false},
		"thirteen today":              {"2011-05-06", own, guardians, "gus@example.com", false},
		"thirteen yesterday":          {"2011-05-05", own, guardians, "own@example.com", false},
		"adult without, guardian has": {"1980-01-01", bson.A{}, guardians, "", false},
		"child without guardian":      {"2020-01-01", own, nil, "", false},
		"name before the address":     {"1980-01-01", bson.A{"Bob <bob@x.org>"}, nil, "bob@x.org", false},
		"first is no string":          {"1980-01-01", bson.A{5, "own@example.com"}, nil, "", true},
		"empty ones before another":   {"1980-01-01", bson.A{nil, "", " \t", bson.A{}, bson.M{}, "own@example.com"}, guardians, "own@example.com", false},
		"guardian's empty ones":       {"2020-01-01", own, bson.A{"", "gus@example.com"}, "gus@example.com", false},
		"only empty ones":             {"1980-01-01", bson.A{nil, ""}, guardians, "", false},
		"first is no address":         {"1980-01-01", bson.A{"secret text", "own@example.com"}, nil, "", true},
		"not a list":                  {"1980-01-01", "own@example.com", nil, "", true},
		"no birth date":               {nil, own, guardians, "", true},
		"birth date in another form":  {"01/01/1980", own, guardians, "", true},
		"impossible birth date":       {"1980-02-30", own, guardians, "", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := bson.Marshal(bson.M{
				"patient": bson.M{"Demographics": bson.M{"dob": test.born, "EmailAddresses": test.own}},
				"Visit":   bson.M{"Guarantor": bson.M{"EmailAddresses": test.guardians}},
			})
			require.NoError(t, err)
			got, err := order{content}.email(now)
			require.Equal(t, test.want, got)
			require.Equal(t, test.fails, err != nil)
			if err != nil {
				require.NotContains(t, err.Error(), "secret")
				require.NotContains(t, err.Error(), "1980")
			}
		})
	}
}
