package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/config"
)

func TestAProcessHasTheSettingsOfItsEnvironment(t *testing.T) {
	set(t, map[string]string{"TIDEPOOL_CLINIC_HTTP_TRUSTED_PROXIES": "10.0.0.0/8,192.0.2.0/24", "TIDEPOOL_STORE_TLS": "true", "TIDEPOOL_STORE_PASSWORD": "p=w"})
	want, err := config.Load()
	require.NoError(t, err)
	want.HTTP.DrainDelay, want.HTTP.MaxBodySize = 1500*time.Millisecond, 12
	for _, setting := range want.Environ() {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	found, err := config.Load()
	require.NoError(t, err)
	require.Equal(t, want, found)
	require.Empty(t, config.Config{}.Environ())
}
