package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args   []string
		status int
		ends   bool
		out    string
		err    string
	}{
		{args: nil},
		{args: []string{"--version"}, ends: true, out: "clinic unknown (revision "},
		{args: []string{"--help"}, ends: true, out: "Usage:"},
		{args: []string{"-h"}, ends: true, out: "Usage:"},
		{args: []string{"serve"}, status: 2, ends: true, err: "unknown arguments"},
		{args: []string{"--version", "more"}, status: 2, ends: true, err: "unknown arguments"},
		{args: []string{""}, status: 2, ends: true, err: "unknown arguments"},
	} {
		var out, problems bytes.Buffer
		status, ends := arguments(test.args, &out, &problems)
		require.Equal(t, test.status, status, test.args)
		require.Equal(t, test.ends, ends, test.args)
		require.Contains(t, out.String(), test.out)
		require.Contains(t, problems.String(), test.err)
		require.Equal(t, test.err == "", problems.Len() == 0, test.args)
		require.Equal(t, test.out == "", out.Len() == 0, test.args)
	}
}
