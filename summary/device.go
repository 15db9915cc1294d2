package summary

// Device is a kind of device that statistics are about. Its value begins the names of parameters and stored fields.
type Device string

// The devices: continuous monitors and fingerstick meters.
const (
	CGM Device = "cgm"
	BGM Device = "bgm"
)

// DefaultPeriod is the period that a list looks at when the caller names none.
const DefaultPeriod = "14d"

// Periods returns the periods that statistics cover, from the shortest to the longest.
func Periods() []string { return []string{"1d", "7d", "14d", "30d"} }
