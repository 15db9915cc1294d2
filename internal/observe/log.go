package observe

import (
	"io"
	"sync/atomic"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Log is where the service logs to: one JSON object per line. Its level can be changed while the service runs.
type Log struct {
	Level  zap.AtomicLevel
	Logger *zap.Logger

	dropped atomic.Int64
}

// NewLog returns a log that writes to w.
func NewLog(level zapcore.Level, w io.Writer) (*Log, error) {
	l := &Log{Level: zap.NewAtomicLevelAt(level)}
	settings := zap.NewProductionConfig()
	settings.Level = l.Level
	settings.EncoderConfig.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	logger, err := settings.Build(zap.WrapCore(func(zapcore.Core) zapcore.Core {
		// No sampling: who looks for a request finds it.
		return zapcore.NewCore(zapcore.NewJSONEncoder(settings.EncoderConfig), zapcore.Lock(countingWriter{l, w}), l.Level)
	}))
	l.Logger = logger
	return l, err
}

// Dropped returns how many lines could not be written.
func (l *Log) Dropped() int64 { return l.dropped.Load() }

type countingWriter struct {
	log *Log
	to  io.Writer
}

func (w countingWriter) Write(line []byte) (int, error) {
	n, err := w.to.Write(line)
	if err != nil {
		w.log.dropped.Add(1)
	}
	return n, err
}

// Sync does nothing: what lines go to has no buffer.
func (w countingWriter) Sync() error { return nil }
