package config_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/config"
)

// required are the settings without which the service does not start.
var required = map[string]string{
	"TIDEPOOL_SERVER_TOKEN":                                     "server-secret",
	"TIDEPOOL_AUTH_CLIENT_ADDRESS":                              "http://auth:9222",
	"TIDEPOOL_AUTH_CLIENT_EXTERNAL_ADDRESS":                     "http://gateway",
	"TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_SECRET": "gateway-secret",
}

// set leaves only these settings in the environment; the value "-" takes one away.
func set(t *testing.T, extra map[string]string) {
	t.Helper()
	for _, s := range config.Settings() {
		t.Setenv(s.Name, "") // so that it is restored after the test
		require.NoError(t, os.Unsetenv(s.Name))
	}
	for _, values := range []map[string]string{required, extra} {
		for name, value := range values {
			if value == "-" {
				require.NoError(t, os.Unsetenv(name))
				continue
			}
			t.Setenv(name, value)
		}
	}
}

func TestDefaults(t *testing.T) {
	set(t, nil)
	c, err := config.Load()
	require.NoError(t, err)
	require.Equal(t, ":8080", c.HTTP.Address)
	require.Equal(t, "clinic", c.Store.Database)
	require.Equal(t, "http://shoreline:9107", c.Platform.UserServiceAddress)
	require.Equal(t, 12*time.Second, c.Platform.CallTimeout)
	level, err := c.LogLevel()
	require.NoError(t, err)
	require.Equal(t, zapcore.InfoLevel, level)
}

func TestRefusedSettings(t *testing.T) {
	tests := map[string]map[string]string{
		"TIDEPOOL_SERVER_TOKEN":                                     {"TIDEPOOL_SERVER_TOKEN": "-"},
		"required key TIDEPOOL_SERVER_TOKEN has no value":           {"TIDEPOOL_SERVER_TOKEN": ""},
		"TIDEPOOL_AUTH_CLIENT_ADDRESS":                              {"TIDEPOOL_AUTH_CLIENT_ADDRESS": "-"},
		"TIDEPOOL_AUTH_CLIENT_EXTERNAL_ADDRESS":                     {"TIDEPOOL_AUTH_CLIENT_EXTERNAL_ADDRESS": "-"},
		"TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_SECRET": {"TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_SECRET": ""},
		"TIDEPOOL_STORE_TLS is not a valid bool":                    {"TIDEPOOL_STORE_TLS": "perhaps"},
		"TIDEPOOL_XEALTH_ENABLED is not a valid bool":               {"TIDEPOOL_XEALTH_ENABLED": ""},
		"_TIMEOUT is not a valid time.Duration":                     {"TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_TIMEOUT": "60"},
		"_TIMEOUT must be more than 0":                              {"TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_TIMEOUT": "0s"},
		"LOG_LEVEL is not a level":                                  {"LOG_LEVEL": "loud"},
		"TIDEPOOL_XEALTH_BEARER_TOKEN":                              {"TIDEPOOL_XEALTH_ENABLED": "true"},
	}
	for message, extra := range tests {
		t.Run(message, func(t *testing.T) {
			set(t, extra)
			_, err := config.Load()
			require.ErrorContains(t, err, message)
		})
	}
}

func TestSetButEmptyIsAllowedWhereItMeansSomething(t *testing.T) {
	set(t, map[string]string{"LOG_LEVEL": "", "TIDEPOOL_AUTH_CLIENT_ADDRESS": "", "TIDEPOOL_STORE_SCHEME": "", "TIDEPOOL_STORE_ADDRESSES": ""})
	c, err := config.Load()
	require.NoError(t, err)
	level, err := c.LogLevel()
	require.NoError(t, err)
	require.Equal(t, zapcore.InfoLevel, level)
}

func TestPlainAddressIsNotRead(t *testing.T) {
	set(t, nil)
	t.Setenv("ADDRESS", "http://somewhere-else")
	t.Setenv("PLATFORM_TIDEPOOL_AUTH_CLIENT_EXTERNAL_ADDRESS", "http://somewhere-else")
	c, err := config.Load()
	require.NoError(t, err)
	require.Equal(t, "http://gateway", c.Platform.AuthExternalAddress)
}

func TestXealthDoesNotStartWithEmptySecrets(t *testing.T) {
	full := map[string]string{
		"TIDEPOOL_XEALTH_ENABLED": "true", "TIDEPOOL_XEALTH_BEARER_TOKEN": "b", "TIDEPOOL_XEALTH_CLIENT_ID": "i",
		"TIDEPOOL_XEALTH_CLIENT_SECRET": "s", "TIDEPOOL_APPLICATION_URL": "https://app.example.com",
	}
	set(t, full)
	_, err := config.Load()
	require.NoError(t, err)
	for name := range full {
		for _, value := range []string{"", "-"} {
			if name == "TIDEPOOL_XEALTH_ENABLED" {
				continue
			}
			changed := maps.Clone(full)
			changed[name] = value
			set(t, changed)
			_, err := config.Load()
			require.ErrorContains(t, err, name)
		}
	}
}

func TestAllMissingSettingsAreNamedAtOnce(t *testing.T) {
	without := map[string]string{}
	for name := range required {
		without[name] = "-"
	}
	set(t, without)
	_, err := config.Load()
	for name := range required {
		require.ErrorContains(t, err, name)
	}
}

func TestSecretsComeFromFilesToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("from-a-file\n"), 0o600))
	set(t, map[string]string{"TIDEPOOL_SERVER_TOKEN": "-"})
	t.Setenv("TIDEPOOL_SERVER_TOKEN_FILE", file)
	c, err := config.Load()
	require.NoError(t, err)
	require.Equal(t, "from-a-file", string(c.Platform.ServerSecret))

	t.Setenv("TIDEPOOL_SERVER_TOKEN", "both")
	_, err = config.Load()
	require.ErrorContains(t, err, "both TIDEPOOL_SERVER_TOKEN and TIDEPOOL_SERVER_TOKEN_FILE are set")

	set(t, map[string]string{"TIDEPOOL_SERVER_TOKEN": "-"})
	t.Setenv("TIDEPOOL_SERVER_TOKEN_FILE", filepath.Join(t.TempDir(), "nothing"))
	_, err = config.Load()
	require.ErrorContains(t, err, "TIDEPOOL_SERVER_TOKEN_FILE")
}

func TestMisspeltSettingsAreWarnedAbout(t *testing.T) {
	set(t, nil)
	require.Empty(t, config.Warnings())
	t.Setenv("TIDEPOOL_CLINIC_HTTP_ADDR", "secret value")
	t.Setenv("TIDEPOOL_CLINIC_SERVICE_HOST", "10.0.0.1") // by an orchestrator
	require.Equal(t, []string{"TIDEPOOL_CLINIC_HTTP_ADDR is no setting of this service, is it misspelt?"}, config.Warnings())
}

func TestEffectiveSettingsHaveNoSecrets(t *testing.T) {
	set(t, map[string]string{"TIDEPOOL_STORE_PASSWORD": "database-secret", "TIDEPOOL_CLINIC_HTTP_ADDRESS": ":9"})
	c, err := config.Load()
	require.NoError(t, err)
	printed := c.Effective()
	require.Contains(t, printed, "TIDEPOOL_CLINIC_HTTP_ADDRESS=:9\n")
	require.Contains(t, printed, "TIDEPOOL_STORE_PASSWORD=***\n")
	require.NotContains(t, printed, "secret")
	for _, s := range config.Settings() {
		require.Contains(t, printed, s.Name+"=")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	set(t, map[string]string{"TIDEPOOL_STORE_PASSWORD": "database-secret"})
	c, err := config.Load()
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		printed := fmt.Sprintf(format, c)
		for _, secret := range []string{"database-secret", "server-secret", "gateway-secret"} {
			require.NotContains(t, printed, secret, format)
		}
	}
}

// TestConfigurationPageIsTrue holds docs/configuration.md against the structs. To renew the page, set UPDATE_DOCS=1.
func TestConfigurationPageIsTrue(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../docs/configuration.md", "<!-- settings: printed from package config -->\n", "<!-- end of settings -->\n"
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(content), begin)
	require.True(t, ok)
	table, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(page, []byte(head+begin+config.Markdown()+end+tail), 0o600))
		return
	}
	require.Equal(t, config.Markdown(), table)
}
