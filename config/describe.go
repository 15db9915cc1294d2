package config

import (
	"reflect"
	"strings"
)

// Setting describes one variable of the environment.
type Setting struct {
	Name     string
	Default  string
	Required bool
	Meaning  string
	// Secret tells that the value must not be printed, and may come from a file.
	Secret bool
}

// Settings returns all settings, in the order of the structs that hold them.
func Settings() []Setting {
	var list []Setting
	groups := reflect.TypeFor[Config]()
	for i := range groups.NumField() {
		group := groups.Field(i).Type
		for j := range group.NumField() {
			tag := group.Field(j).Tag
			list = append(list, Setting{
				Name: tag.Get("envconfig"), Default: tag.Get("default"), Required: tag.Get("required") == "true", Meaning: tag.Get("desc"),
				Secret: group.Field(j).Type == reflect.TypeFor[Secret](),
			})
		}
	}
	return list
}

// Markdown returns the settings as a table, for docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| Variable | Default | Meaning |\n|---|---|---|\n")
	for _, s := range Settings() {
		fallback := "–"
		if s.Default != "" {
			fallback = "`" + s.Default + "`"
		}
		if s.Required {
			fallback = "required"
		}
		b.WriteString("| `" + s.Name + "` | " + fallback + " | " + s.Meaning + " |\n")
	}
	return b.String()
}
