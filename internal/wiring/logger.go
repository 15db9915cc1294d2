package wiring

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/config"
)

// NewLogger returns a logger that writes one JSON object per line to standard error.
func NewLogger(c config.Config) (*zap.Logger, error) {
	level, err := c.LogLevel()
	if err != nil {
		return nil, err
	}
	settings := zap.NewProductionConfig()
	settings.Level = zap.NewAtomicLevelAt(level)
	settings.EncoderConfig.EncodeTime = zapcore.EpochTimeEncoder
	return settings.Build()
}
