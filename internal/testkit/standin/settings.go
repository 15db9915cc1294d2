package standin

import "github.com/tidepool-org/clinic/config"

// Settings returns the settings of a service whose neighbours are all played by a stand-in at the address. They share one
// secret. Integrations are switched on; links to reports lead to the application's address.
func Settings(address, secret, application string) config.Config {
	shared := config.Secret(secret)
	return config.Config{
		Platform: config.Platform{
			UserServiceAddress: address, ProfileServiceAddress: address, ServerSecret: shared,
			AuthServiceAddress: address, AuthExternalAddress: address, AuthExternalSecret: shared,
			TokenEndpoint: address + "/oidc/token",
		},
		Redox: config.Redox{VerificationToken: shared},
		Xealth: config.Xealth{
			Enabled: true, BearerToken: shared, ClientID: secret, ClientSecret: shared,
			TokenURL: address + "/oauth2/token", BaseURL: address, ApplicationURL: application,
		},
	}
}
