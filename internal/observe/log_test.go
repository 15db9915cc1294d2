package observe_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/internal/observe"
)

func TestLogKeepsEveryLine(t *testing.T) {
	t.Parallel()
	const lines = 1000
	var written bytes.Buffer
	log, err := observe.NewLog(zapcore.InfoLevel, &written)
	require.NoError(t, err)
	for range lines {
		log.Logger.Info("Success")
	}
	log.Logger.Debug("not at this level")
	scanner, count := bufio.NewScanner(&written), 0
	for ; scanner.Scan(); count++ {
		var line struct{ TS string }
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &line))
		_, err := time.Parse(time.RFC3339Nano, line.TS)
		require.NoError(t, err)
	}
	require.Equal(t, lines, count)
	require.Zero(t, log.Dropped())
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestLinesThatCannotBeWrittenAreCounted(t *testing.T) {
	t.Parallel()
	log, err := observe.NewLog(zapcore.InfoLevel, broken{})
	require.NoError(t, err)
	log.Logger.Info("lost")
	require.Equal(t, int64(1), log.Dropped())
}
