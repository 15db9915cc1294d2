package observe

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// Build says what runs. Version and revision are "unknown" in a build that was told nothing, such as that of a test.
type Build struct {
	Version   string
	Revision  string
	GoVersion string
}

const unknown = "unknown"

// version and revision are set by the linker, see scripts/version.
var version, revision string

// ThisBuild returns what the running binary was built from.
var ThisBuild = sync.OnceValue(func() Build {
	build := Build{Version: version, Revision: revision, GoVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" && build.Revision == "" {
				build.Revision = setting.Value
			}
		}
	}
	if build.Version == "" {
		build.Version = unknown
	}
	if build.Revision == "" {
		build.Revision = unknown
	}
	return build
})

// IsReleased reports whether the build was told its version.
func (b Build) IsReleased() bool { return b.Version != unknown }

// String returns the build in a line.
func (b Build) String() string {
	return b.Version + " (revision " + b.Revision + ", " + b.GoVersion + ")"
}
