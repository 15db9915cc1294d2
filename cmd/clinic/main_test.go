package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/config"
)

func TestLogKeepsEveryLine(t *testing.T) {
	const lines = 1000
	read, write, err := os.Pipe()
	require.NoError(t, err)
	standard := os.Stderr
	os.Stderr = write
	t.Cleanup(func() { os.Stderr = standard })
	log, err := newLogger(config.Config{Log: config.Log{Level: "info"}})
	require.NoError(t, err)
	go func() {
		for range lines {
			log.Info("Success")
		}
		log.Error("Server error")
		_ = write.Close()
	}()
	scanner, count := bufio.NewScanner(read), 0
	for ; scanner.Scan(); count++ {
		var line struct{ TS string }
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &line))
		_, err := time.Parse(time.RFC3339Nano, line.TS)
		require.NoError(t, err)
	}
	require.NoError(t, scanner.Err())
	require.Equal(t, lines+1, count)
	_, err = io.Copy(io.Discard, read)
	require.NoError(t, err)
}
