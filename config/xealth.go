package config

import (
	"errors"
	"fmt"
	"os"
)

// check reports the settings that an enabled integration lacks. COMPAT: a variable that is set but empty counts as set.
func (x Xealth) check() error {
	if !x.Enabled {
		return nil
	}
	var problems []error
	for _, name := range []string{
		"TIDEPOOL_XEALTH_BEARER_TOKEN", "TIDEPOOL_XEALTH_CLIENT_ID", "TIDEPOOL_XEALTH_CLIENT_SECRET", "TIDEPOOL_APPLICATION_URL",
	} {
		if _, ok := os.LookupEnv(name); !ok {
			problems = append(problems, fmt.Errorf("required key %s missing value", name))
		}
	}
	return errors.Join(problems...)
}
