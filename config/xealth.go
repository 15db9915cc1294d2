package config

import "errors"

// check reports the settings that an enabled integration lacks. An empty secret would let nobody in, or everybody.
func (x Xealth) check() error {
	if !x.Enabled {
		return nil
	}
	return errors.Join(
		notEmpty("TIDEPOOL_XEALTH_BEARER_TOKEN", string(x.BearerToken)),
		notEmpty("TIDEPOOL_XEALTH_CLIENT_ID", x.ClientID),
		notEmpty("TIDEPOOL_XEALTH_CLIENT_SECRET", string(x.ClientSecret)),
		notEmpty("TIDEPOOL_APPLICATION_URL", x.ApplicationURL),
	)
}
