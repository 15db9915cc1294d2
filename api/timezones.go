package api

import (
	"errors"
	"sync"
	"time"
	_ "time/tzdata" // so that the machine need not have them

	"github.com/getkin/kin-openapi/openapi3"
)

const (
	timeZoneSchema = "clinicTimezone.v1"
	timeZoneFormat = "time-zone"
)

// acceptTimeZones makes the checks take every time zone that the time zone database knows. The document lists those of the
// day when it was written, and has to, because clients are generated from it; but zones come and get new names.
func acceptTimeZones(spec *openapi3.T) {
	if ref := spec.Components.Schemas[timeZoneSchema]; ref != nil {
		ref.Value.Enum, ref.Value.Format = nil, timeZoneFormat
	}
}

// defineTimeZones names the check. The names of checks are global, so that comes before anything of a document is read.
var defineTimeZones = sync.OnceFunc(func() {
	openapi3.DefineStringFormatValidator(timeZoneFormat, openapi3.NewCallbackValidator(checkTimeZone))
})

var errTimeZone = errors.New("the time zone is not known")

func checkTimeZone(name string) error {
	if name == "" || name == "Local" { // names for what the machine happens to have
		return errTimeZone
	}
	if _, err := time.LoadLocation(name); err != nil {
		return errTimeZone
	}
	return nil
}
