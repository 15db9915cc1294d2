package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Environ returns the settings as the environment of a process that shall have them, secrets included. Settings that are zero
// are left out: then the process takes the default.
func (c Config) Environ() []string {
	var environment []string
	groups := reflect.ValueOf(c)
	for i := range groups.NumField() {
		group := groups.Field(i)
		for j := range group.NumField() {
			name := group.Type().Field(j).Tag.Get("envconfig")
			if value := group.Field(j); name != "" && !value.IsZero() {
				environment = append(environment, name+"="+text(value))
			}
		}
	}
	return environment
}

// text returns a setting as Load reads it.
func text(value reflect.Value) string {
	switch value := value.Interface().(type) {
	case Secret:
		return string(value)
	case []string:
		return strings.Join(value, ",")
	default:
		return fmt.Sprint(value)
	}
}
