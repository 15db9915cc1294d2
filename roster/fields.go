package roster

import (
	"slices"

	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/summary"
)

var (
	bothDevices = []summary.Device{summary.CGM, summary.BGM}
	cgmOnly     = []summary.Device{summary.CGM}
)

// place says where in a patient record a field is stored.
type place int

const (
	inRecord place = iota // at the top
	inDates               // summary.<device>Stats.dates
	inPeriod              // summary.<device>Stats.periods.<period>
)

// valueType says which values a filter on a field takes.
type valueType int

const (
	unfiltered valueType = iota // cannot be filtered by name
	instant                     // two parameters, with From and To added
	decimal                     // a comparator and a number
	whole                       // a comparator and a whole number
)

// known says how a sort tells the patients that have a value, who come first in both directions, from the others.
type known int

const (
	noMatter  known = iota // it does not: a missing value sorts before all others
	byFlag                 // by the field has…, stored beside the value
	byPresent              // by whether there is a value
)

// scope is a choice of device and period that an index serves. The period is "" for a field that is not in a period.
type scope struct {
	device summary.Device
	period string
}

// field is an attribute of patients that lists can be filtered or sorted by. The table of these is the only place that knows
// about them: parameters, queries, orders and indexes come from it, and a test holds the interface document against it.
type field struct {
	name    string
	stored  string // path below its place; "" means that it is the name
	place   place
	value   valueType
	known   known
	sorts   []summary.Device // devices for which it can be sorted by
	filters []summary.Device // devices for which it can be filtered by
	indexed []scope
}

// listFields returns the table.
func listFields() []field {
	fields := []field{
		{name: "fullName", value: unfiltered, sorts: bothDevices},
		{name: "birthDate", value: unfiltered, sorts: bothDevices},
		{name: "lastReviewed", stored: "reviews.0.time", value: unfiltered, sorts: bothDevices},
		{name: "lastUploadDate", place: inDates, value: instant, known: byFlag, sorts: bothDevices},
		{name: "lastData", place: inDates, value: instant, known: byFlag, sorts: bothDevices, filters: bothDevices,
			indexed: []scope{{device: summary.CGM}, {device: summary.BGM}}},
		{name: "firstData", place: inDates, value: instant, known: byFlag, sorts: bothDevices},
		{name: "outdatedSince", place: inDates, value: instant, known: byFlag, sorts: bothDevices},
	}
	for _, f := range measures() {
		delta := f
		delta.name += "Delta"
		delta.indexed = nil
		// A change has no flag of its own. COMPAT: changes of the least and greatest reading sort as those do.
		if f.name != "min" && f.name != "max" {
			delta.known = byPresent
		}
		fields = append(fields, f, delta)
	}
	return fields
}

// measures returns the fields of a period, without the changes.
func measures() []field {
	fields := []field{
		{name: "timeCGMUsePercent", value: decimal, known: byFlag, sorts: cgmOnly, filters: cgmOnly},
		{name: "timeCGMUseMinutes", value: whole, filters: cgmOnly},
		{name: "timeCGMUseRecords", value: whole, filters: cgmOnly},
		{name: "glucoseManagementIndicator", value: decimal, known: byFlag, sorts: cgmOnly, filters: cgmOnly,
			indexed: []scope{{summary.CGM, summary.DefaultPeriod}}},
		{name: "averageGlucoseMmol", value: decimal, known: byFlag, sorts: bothDevices, filters: bothDevices,
			indexed: []scope{{summary.BGM, summary.DefaultPeriod}}},
		{name: "totalRecords", value: whole, known: byFlag, sorts: bothDevices, filters: bothDevices},
		{name: "averageDailyRecords", value: decimal, known: byFlag, sorts: bothDevices, filters: bothDevices},
		{name: "hoursWithData", value: whole, sorts: cgmOnly, filters: cgmOnly},
		{name: "daysWithData", value: whole, sorts: cgmOnly, filters: cgmOnly},
		{name: "standardDeviation", value: decimal, sorts: bothDevices, filters: cgmOnly},
		{name: "coefficientOfVariation", value: decimal, sorts: bothDevices, filters: cgmOnly},
		{name: "min", value: decimal, sorts: bothDevices, filters: bothDevices},
		{name: "max", value: decimal, sorts: bothDevices, filters: bothDevices},
	}
	for _, r := range []string{"VeryLow", "AnyLow", "Low", "Target", "High", "VeryHigh", "ExtremeHigh", "AnyHigh"} {
		percent := field{name: "timeIn" + r + "Percent", value: decimal, known: byFlag, sorts: bothDevices, filters: bothDevices}
		records := field{name: "timeIn" + r + "Records", value: whole, known: byFlag, sorts: bothDevices, filters: bothDevices}
		switch r {
		case "Target":
			percent.indexed = []scope{{summary.CGM, summary.DefaultPeriod}}
		case "VeryLow", "VeryHigh":
			records.indexed = []scope{{summary.BGM, summary.DefaultPeriod}} // the columns of the meter view of clinics
		case "ExtremeHigh":
			records.filters = nil
		}
		fields = append(fields, percent, records,
			field{name: "timeIn" + r + "Minutes", value: whole, known: byFlag, sorts: cgmOnly, filters: cgmOnly})
	}
	for i := range fields {
		fields[i].place = inPeriod
	}
	return fields
}

// base returns the path of the place of the field, with a dot at the end, or "" for the top of the record.
func (f field) base(s scope) string {
	switch f.place {
	case inDates:
		return "summary." + string(s.device) + "Stats.dates."
	case inPeriod:
		return "summary." + string(s.device) + "Stats.periods." + s.period + "."
	default:
		return ""
	}
}

// path returns where the value is stored.
func (f field) path(s scope) string {
	if f.stored != "" {
		return f.base(s) + f.stored
	}
	return f.base(s) + f.name
}

// flag returns where it is stored whether the value is known, or "" if that is not stored.
func (f field) flag(s scope) string {
	if f.known != byFlag {
		return ""
	}
	return f.base(s) + flagName(f.name)
}

// flagName returns the name of the field that says whether the named field is known: hasLastData for lastData.
func flagName(name string) string {
	return "has" + string(name[0]-'a'+'A') + name[1:]
}

// isIndexed reports whether an index gives the order of the field.
func (f field) isIndexed(s scope) bool {
	if f.place != inPeriod {
		s.period = ""
	}
	return slices.Contains(f.indexed, s)
}

// sortFields maps each attribute that can be sorted by to its field, for each device.
var sortFields = func() map[summary.Device]map[string]field {
	byName := map[summary.Device]map[string]field{summary.CGM: {}, summary.BGM: {}}
	for _, f := range listFields() {
		for _, device := range f.sorts {
			byName[device][f.name] = f
		}
	}
	return byName
}()

// filterParameters maps the name of each parameter that filters by a field to what it means.
var filterParameters = func() map[string]filterParameter {
	byName := map[string]filterParameter{}
	for _, f := range listFields() {
		for _, device := range f.filters {
			name := string(device) + "." + f.name
			if f.value == instant {
				byName[name+"From"] = filterParameter{f, device, "$gte"}
				byName[name+"To"] = filterParameter{f, device, "$lt"}
				continue
			}
			byName[name] = filterParameter{field: f, device: device}
		}
	}
	return byName
}()

// filterParameter is a parameter that filters by a field.
type filterParameter struct {
	field    field
	device   summary.Device
	operator string // "" if the value names the comparator
}

// listIndexes returns the indexes that give lists their order.
func listIndexes() []store.Index {
	indexes := []store.Index{
		nameOrder(1).index,
		nameOrder(-1).index,
		// Tells cheaply whether a patient was added; see totals.
		{Name: "PatientsByCreation", Keys: store.Ascending("clinicId", "_id")},
		// What changed lately; see table.
		{Name: tableIndex, Keys: store.Ascending("clinicId", "updatedTime")},
		// For TIDE reports, and for lists of a tag.
		{Name: tideIndex, Keys: store.Ascending("clinicId", "tags", cgmLastData)},
		{Name: "PatientBirthDateEn", Keys: store.Ascending("clinicId", "birthDate"), Locale: store.IgnoreCaseAndAccents()},
	}
	for _, f := range listFields() {
		for _, s := range f.indexed {
			indexes = append(indexes, fieldOrder(f, s, 1).index, fieldOrder(f, s, -1).index)
		}
	}
	return indexes
}
