package operator

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tidepool-org/clinic/config"
)

func (t *tool) checkConfig() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Check the settings that a start of the service would read; connects to nothing", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := t.load(true); err != nil {
				return usage("bad configuration: %w", err)
			}
			set := 0
			for _, setting := range config.Settings() {
				_, ok := os.LookupEnv(setting.Name)
				if ok {
					set++
				}
				t.output.print(settingRow{Name: setting.Name, Set: ok})
			}
			t.output.print(found{Found: set, Noun: "settings in the environment, and nothing wrong with them"})
			return nil
		},
	}
}

// settingRow holds no value: it may be a secret.
type settingRow struct {
	Name string `json:"name"`
	Set  bool   `json:"set"`
}

func (r settingRow) line() string {
	if r.Set {
		return r.Name + " is set"
	}
	return fmt.Sprintf("%s has its default", r.Name)
}
