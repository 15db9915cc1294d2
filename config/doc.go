// Package config owns the settings of the service: their names in the environment, defaults and checks. It must not know
// what the settings are used for. Settings are read once, at start; a bad one stops the start before any connection is made.
package config
