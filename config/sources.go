package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
)

// fileSuffix marks a variable that names a file with the value of a secret, as orchestrators mount them.
const fileSuffix = "_FILE"

// readFiles sets the variables of secrets from the files that variables with the suffix name. It returns an error for a file
// that cannot be read, and for a secret that is given both ways.
func readFiles() error {
	var problems []error
	for _, s := range Settings() {
		path, ok := os.LookupEnv(s.Name + fileSuffix)
		if !s.Secret || !ok {
			continue
		}
		if _, both := os.LookupEnv(s.Name); both {
			problems = append(problems, fmt.Errorf("both %s and %s%s are set", s.Name, s.Name, fileSuffix))
			continue
		}
		content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			problems = append(problems, fmt.Errorf("%s%s names a file that cannot be read", s.Name, fileSuffix))
			continue
		}
		if err := os.Setenv(s.Name, strings.TrimRight(string(content), "\r\n")); err != nil {
			problems = append(problems, fmt.Errorf("%s%s names a file whose content cannot be a setting", s.Name, fileSuffix))
		}
	}
	return errors.Join(problems...)
}

// missing returns an error that names every required variable that is not set.
func missing() error {
	var names []string
	for _, s := range Settings() {
		if _, ok := os.LookupEnv(s.Name); s.Required && !ok {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("required settings are missing: %s", strings.Join(names, ", "))
}

// ownPrefix begins the variables that only this service has. Others of the platform are set for many services alike.
const ownPrefix = "TIDEPOOL_CLINIC_"

// Warnings names the variables of the environment that look like settings of this service but are none, such as misspelt ones.
func Warnings() []string {
	known := map[string]bool{"TIDEPOOL_CLINIC_CLIENT_ADDRESS": true} // by which others find this service
	for _, s := range Settings() {
		known[s.Name] = true
		known[s.Name+fileSuffix] = s.Secret
	}
	var warnings []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, ownPrefix) && !known[name] && !isLink(name) {
			warnings = append(warnings, name+" is no setting of this service, is it misspelt?")
		}
	}
	slices.Sort(warnings)
	return warnings
}

// isLink reports whether an orchestrator made the variable for a service that happens to have such a name.
func isLink(name string) bool {
	for _, part := range []string{"_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == ownPrefix+"PORT"
}

// Effective returns the settings as they are in force, one in a line, with stars for secrets.
func (c Config) Effective() string {
	var b strings.Builder
	groups := reflect.ValueOf(c)
	for i := range groups.NumField() {
		group := groups.Field(i)
		for j := range group.NumField() {
			fmt.Fprintf(&b, "%s=%v\n", group.Type().Field(j).Tag.Get("envconfig"), group.Field(j).Interface())
		}
	}
	return b.String()
}
