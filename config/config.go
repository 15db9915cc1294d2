package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
	"go.uber.org/zap/zapcore"
)

// Config holds every setting of the service.
type Config struct {
	HTTP     HTTP
	Local    Local
	Store    Store
	Log      Log
	Platform Platform
	Demo     Demo
	Audit    Audit
	Redox    Redox
	Xealth   Xealth
}

// HTTP says where the service listens and what it accepts.
type HTTP struct {
	Address       string        `envconfig:"TIDEPOOL_CLINIC_HTTP_ADDRESS" default:":8080" desc:"address on which the service listens"`
	MaxBodySize   int64         `envconfig:"TIDEPOOL_CLINIC_HTTP_MAX_BODY_BYTES" default:"16777216" desc:"largest request body in bytes; a larger one is answered with 413"`
	MaxBodiesSize int64         `envconfig:"TIDEPOOL_CLINIC_HTTP_MAX_BODIES_BYTES" default:"33554432" desc:"how many bytes of request bodies are in memory at the same time; requests wait for room, then get 503"`
	ReadTimeout   time.Duration `envconfig:"TIDEPOOL_CLINIC_HTTP_READ_TIMEOUT" default:"60s" desc:"time in which a request has to be read; handlers themselves have no limit"`
	WriteTimeout  time.Duration `envconfig:"TIDEPOOL_CLINIC_HTTP_WRITE_TIMEOUT" default:"60s" desc:"time in which a caller has to take each part of an answer"`
	IdleTimeout   time.Duration `envconfig:"TIDEPOOL_CLINIC_HTTP_IDLE_TIMEOUT" default:"120s" desc:"time after which an idle connection is closed"`
	// TrustedProxies are believed about whom they forward for. Nobody else is: a caller can write anything into a header.
	TrustedProxies []string `envconfig:"TIDEPOOL_CLINIC_HTTP_TRUSTED_PROXIES" desc:"networks of proxies, such as 10.0.0.0/8, separated by commas, whose X-Forwarded-For is believed for the log"`
	// DrainDelay keeps the listener open while load balancers notice that the service is about to go. The default needs no
	// pre-stop hook, and fits into the 30 seconds that Kubernetes grants with a hook of 15 seconds, too.
	DrainDelay time.Duration `envconfig:"TIDEPOOL_CLINIC_HTTP_DRAIN_DELAY" default:"10s" desc:"time between turning unready and closing the listener on SIGTERM"`
}

// Local is where operators look into the process.
type Local struct {
	Address string `envconfig:"TIDEPOOL_CLINIC_LOCAL_ADDRESS" desc:"second address, for operators: profiles, log level, what the process is doing; a loopback address such as 127.0.0.1:6060, because it asks for no credential; empty means none"`
}

// Store names the database.
type Store struct {
	Scheme              string `envconfig:"TIDEPOOL_STORE_SCHEME" default:"mongodb" desc:"scheme of the database URI, mongodb or mongodb+srv; empty means mongodb"`
	Addresses           string `envconfig:"TIDEPOOL_STORE_ADDRESSES" default:"localhost" desc:"host[:port], several separated by commas; empty means localhost"`
	Username            string `envconfig:"TIDEPOOL_STORE_USERNAME" desc:"database user, put into the URI as given"`
	Password            Secret `envconfig:"TIDEPOOL_STORE_PASSWORD" desc:"password of the database user, put into the URI as given (percent-encode it)"`
	TLS                 bool   `envconfig:"TIDEPOOL_STORE_TLS" default:"false" desc:"whether to connect to the database with TLS"`
	OptParams           string `envconfig:"TIDEPOOL_STORE_OPT_PARAMS" desc:"further options of the database URI, as in a query string"`
	Database            string `envconfig:"TIDEPOOL_CLINIC_DATABASE_NAME" default:"clinic" desc:"name of the database"`
	BuildIndexes        bool   `envconfig:"TIDEPOOL_CLINIC_BUILD_INDEXES" default:"true" desc:"whether the service builds missing indexes in the background; false leaves it to ehr indexes build"`
	RequireTransactions bool   `envconfig:"TIDEPOOL_STORE_REQUIRE_TRANSACTIONS" default:"false" desc:"refuse to start on a database without transactions"`
}

// Log says how much is logged.
type Log struct {
	Level string `envconfig:"LOG_LEVEL" default:"info" desc:"least level that is logged: debug, info, warn, error, dpanic, panic or fatal; empty means info"`
}

// Platform names the neighbouring services and the secrets they know this service by.
type Platform struct {
	UserServiceAddress    string `envconfig:"TIDEPOOL_SHORELINE_CLIENT_ADDRESS" default:"http://shoreline:9107" desc:"base address of the user service"`
	ProfileServiceAddress string `envconfig:"TIDEPOOL_SEAGULL_CLIENT_ADDRESS" default:"http://seagull:9120" desc:"base address of the profile service"`
	PermissionAddress     string `envconfig:"TIDEPOOL_PERMISSION_CLIENT_ADDRESS" default:"http://gatekeeper:9123" desc:"base address of the permission service; read, never called"`
	ServerSecret          Secret `envconfig:"TIDEPOOL_SERVER_TOKEN" required:"true" desc:"secret with which the service logs in at the user service"`

	AuthServiceAddress  string        `envconfig:"TIDEPOOL_AUTH_CLIENT_ADDRESS" required:"true" desc:"base address of the platform's auth service"`
	AuthExternalAddress string        `envconfig:"TIDEPOOL_AUTH_CLIENT_EXTERNAL_ADDRESS" required:"true" desc:"base address of the gateway, which serves the login at the auth service"`
	AuthExternalSecret  Secret        `envconfig:"TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_SECRET" required:"true" desc:"secret for the login through the gateway"`
	AuthExternalRefresh time.Duration `envconfig:"TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_TIMEOUT" default:"1h" desc:"time after which that login is repeated; more than 0"`
	AuthServiceSecret   Secret        `envconfig:"TIDEPOOL_SERVICE_SECRET" desc:"if set, sent to the auth service in place of a session token"`
	UserAgent           string        `envconfig:"TIDEPOOL_USER_AGENT" desc:"User-Agent of calls to the auth service"`
	TokenEndpoint       string        `envconfig:"TIDEPOOL_AUTH_SERVICE_TOKEN_ENDPOINT" desc:"OpenID token endpoint; without it, service accounts cannot be added"`

	ConnectTimeout time.Duration `envconfig:"TIDEPOOL_CLINIC_OUTBOUND_CONNECT_TIMEOUT" default:"5s" desc:"time to connect to a neighbouring service"`
	CallTimeout    time.Duration `envconfig:"TIDEPOOL_CLINIC_OUTBOUND_TIMEOUT" default:"12s" desc:"time for a whole call of a neighbouring service; callers wait for it, and their gateway gives up after 15s"`
}

// Demo names the demo patient.
type Demo struct {
	PatientUserID string `envconfig:"CLINIC_DEMO_PATIENT_USER_ID" desc:"user who is added to new clinics as a demo patient; empty means none"`
}

// Audit says what is recorded of who did what.
type Audit struct {
	Retention time.Duration `envconfig:"TIDEPOOL_CLINIC_AUDIT_RETENTION" default:"0s" desc:"how long the audit trail keeps who changed what, such as 52560h for six years; 0s means that nothing is recorded"`
	Reads     bool          `envconfig:"TIDEPOOL_CLINIC_AUDIT_READS" default:"false" desc:"whether the trail also records who read which patient"`
}

// Redox holds what Redox proves itself with.
type Redox struct {
	VerificationToken Secret `envconfig:"TIDEPOOL_REDOX_VERIFICATION_TOKEN" desc:"token that Redox has to send; without it, nothing from Redox is accepted"`
}

// Xealth holds the settings of the Xealth integration. All but Enabled are read only if it is enabled.
type Xealth struct {
	Enabled        bool   `envconfig:"TIDEPOOL_XEALTH_ENABLED" default:"false" desc:"whether the Xealth integration is on"`
	BearerToken    Secret `envconfig:"TIDEPOOL_XEALTH_BEARER_TOKEN" desc:"token that Xealth has to send; required if enabled"`
	ClientID       string `envconfig:"TIDEPOOL_XEALTH_CLIENT_ID" desc:"id with which the service logs in at Xealth; required if enabled"`
	ClientSecret   Secret `envconfig:"TIDEPOOL_XEALTH_CLIENT_SECRET" desc:"secret with which the service logs in at Xealth; required if enabled"`
	TokenURL       string `envconfig:"TIDEPOOL_XEALTH_TOKEN_URL" default:"https://auth-sandbox.xealth.io/oauth2/token" desc:"OAuth token endpoint of Xealth"`
	BaseURL        string `envconfig:"TIDEPOOL_XEALTH_SERVER_BASE_URL" default:"https://api-sandbox.xealth.io/v2" desc:"base address of Xealth"`
	ApplicationURL string `envconfig:"TIDEPOOL_APPLICATION_URL" desc:"public base address of the platform, for links to reports; required if enabled"`
}

// Secret is a setting that must not be printed.
type Secret string

// String returns stars, or "" if the secret is empty.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString keeps the secret out of %#v.
func (s Secret) GoString() string { return s.String() }

// Load reads the settings from the environment, and secrets also from files. It returns an error that names all variables
// that are missing, or one that cannot be parsed.
func Load() (Config, error) {
	var c Config
	if err := errors.Join(readFiles(), missing()); err != nil {
		return Config{}, err
	}
	// Group by group: processed as a whole, the library would also read names with the group in front.
	for _, group := range []any{&c.HTTP, &c.Local, &c.Store, &c.Log, &c.Platform, &c.Demo, &c.Audit, &c.Redox, &c.Xealth} {
		if err := process(group); err != nil {
			return Config{}, err
		}
	}
	return c, c.check()
}

// Proxies returns the networks of trusted proxies. What is no network, which check reports, is left out.
func (h HTTP) Proxies() []*net.IPNet {
	var networks []*net.IPNet
	for _, text := range h.TrustedProxies {
		if _, network, err := net.ParseCIDR(strings.TrimSpace(text)); err == nil {
			networks = append(networks, network)
		}
	}
	return networks
}

// LoadForDatabase reads only what is needed to work on the database, so that a command line does not need the secrets of
// neighbours. The rest of the settings is empty.
func LoadForDatabase() (Config, error) {
	var c Config
	if err := readFiles(); err != nil {
		return Config{}, err
	}
	for _, group := range []any{&c.Store, &c.Log, &c.Demo, &c.Audit} {
		if err := process(group); err != nil {
			return Config{}, err
		}
	}
	_, err := c.LogLevel()
	return c, err
}

func process(group any) error {
	err := envconfig.Process("", group)
	var bad *envconfig.ParseError
	if errors.As(err, &bad) { // its own text repeats the value, which may be a secret
		return fmt.Errorf("%s is not a valid %s", bad.KeyName, bad.TypeName)
	}
	return err
}

// LogLevel returns the least level that is logged.
func (c Config) LogLevel() (zapcore.Level, error) {
	if c.Log.Level == "" {
		return zapcore.InfoLevel, nil
	}
	level, err := zapcore.ParseLevel(c.Log.Level)
	if err != nil {
		return level, fmt.Errorf("LOG_LEVEL is not a level: %q", c.Log.Level)
	}
	return level, nil
}

func (c Config) check() error {
	problems := []error{
		notEmpty("TIDEPOOL_SERVER_TOKEN", string(c.Platform.ServerSecret)),
		notEmpty("TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_SECRET", string(c.Platform.AuthExternalSecret)),
	}
	if c.Platform.AuthExternalRefresh <= 0 {
		problems = append(problems, errors.New("TIDEPOOL_AUTH_CLIENT_EXTERNAL_SERVER_SESSION_TOKEN_TIMEOUT must be more than 0"))
	}
	if _, err := c.LogLevel(); err != nil {
		problems = append(problems, err)
	}
	for _, text := range c.HTTP.TrustedProxies {
		if _, _, err := net.ParseCIDR(strings.TrimSpace(text)); err != nil {
			problems = append(problems, errors.New("TIDEPOOL_CLINIC_HTTP_TRUSTED_PROXIES holds something that is not a network"))
		}
	}
	for name, address := range c.addresses() {
		if _, err := url.Parse(address); err != nil {
			problems = append(problems, fmt.Errorf("%s is not an address", name))
		}
	}
	return errors.Join(append(problems, c.Xealth.check())...)
}

func (c Config) addresses() map[string]string {
	return map[string]string{
		"TIDEPOOL_SHORELINE_CLIENT_ADDRESS":     c.Platform.UserServiceAddress,
		"TIDEPOOL_SEAGULL_CLIENT_ADDRESS":       c.Platform.ProfileServiceAddress,
		"TIDEPOOL_AUTH_CLIENT_ADDRESS":          c.Platform.AuthServiceAddress,
		"TIDEPOOL_AUTH_CLIENT_EXTERNAL_ADDRESS": c.Platform.AuthExternalAddress,
		"TIDEPOOL_AUTH_SERVICE_TOKEN_ENDPOINT":  c.Platform.TokenEndpoint,
		"TIDEPOOL_XEALTH_TOKEN_URL":             c.Xealth.TokenURL,
		"TIDEPOOL_XEALTH_SERVER_BASE_URL":       c.Xealth.BaseURL,
	}
}

func notEmpty(name, value string) error {
	if value == "" {
		return fmt.Errorf("required key %s has no value", name)
	}
	return nil
}
