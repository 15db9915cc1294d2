package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const lines = `{"Action":"start","Package":"x/api"}
{"Action":"output","Package":"x/api","Test":"TestGood","Output":"chatter\n"}
{"Action":"pass","Package":"x/api","Test":"TestGood","Elapsed":2.5}
{"Action":"output","Package":"x/api","Test":"TestAbsent","Output":"=== RUN   TestAbsent\n"}
{"Action":"output","Package":"x/api","Test":"TestAbsent","Output":"    absent_test.go:12: SKIPPED: needs transactions\n"}
{"Action":"output","Package":"x/api","Test":"TestAbsent","Output":"--- SKIP: TestAbsent (0.00s)\n"}
{"Action":"skip","Package":"x/api","Test":"TestAbsent","Elapsed":0}
`

func summary(t *testing.T, input string) (string, bool) {
	t.Helper()
	var out bytes.Buffer
	r := newReport(&out)
	require.NoError(t, r.read(strings.NewReader(input)))
	passed := r.finish(1)
	return out.String(), passed
}

func TestSkippedTestsAreCountedWithTheirReasons(t *testing.T) {
	t.Parallel()
	text, passed := summary(t, lines+`{"Action":"output","Package":"x/api","Output":"ok  \tx/api\t3s\n"}`+"\n"+`{"Action":"pass","Package":"x/api"}`)
	require.True(t, passed)
	require.Equal(t, "ok  \tx/api\t3s\n\nThe slowest of 2 tests:\n     2.5 s  api TestGood\nSKIPPED: 1 of 2 tests\n  api TestAbsent: needs transactions\n", text)
}

func TestFailuresAreShownAndFail(t *testing.T) {
	t.Parallel()
	text, passed := summary(t, lines+`{"Action":"output","Package":"x/api","Test":"TestBad","Output":"it broke\n"}
{"Action":"fail","Package":"x/api","Test":"TestBad","Elapsed":0.1}
{"Action":"fail","Package":"x/api"}
`)
	require.False(t, passed)
	require.Contains(t, text, "it broke\n")
	require.NotContains(t, text, "chatter")
	require.Contains(t, text, "\nTO REPEAT: x/api -run ^(TestBad)$\n")
	for name, input := range map[string]string{
		"a package that dies":      `{"Action":"output","Package":"x/api","Output":"panic: oh\n"}` + "\n" + `{"Action":"fail","Package":"x/api"}`,
		"code that does not build": `{"ImportPath":"x/api","Action":"build-output","Output":"panic: oh\n"}` + "\n" + `{"ImportPath":"x/api","Action":"build-fail"}`,
	} {
		text, passed = summary(t, input)
		require.False(t, passed, name)
		require.Contains(t, text, "panic: oh", name)
		require.NotContains(t, text, "-run", "all of it is run again")
	}
	text, _ = summary(t, "no event\n")
	require.Contains(t, text, "no event\n")
}

// What a test said before its process died is all that there is to go by.
func TestTheLastWordsOfATestThatDidNotEndAreShown(t *testing.T) {
	t.Parallel()
	text, passed := summary(t, `{"Action":"output","Package":"x/api","Test":"TestHangs","Output":"panic: test timed out\n"}`+"\n"+`{"Action":"fail","Package":"x/api"}`)
	require.False(t, passed)
	require.Contains(t, text, "panic: test timed out")
	require.Contains(t, text, "\nTO REPEAT: x/api\n")
}
