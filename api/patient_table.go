package api

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/summary"
)

// patientTable shows patients as lines of a table for people.
type patientTable struct {
	local   localTime
	mgdl    bool
	period  string
	groups  map[bson.ObjectID]string
	columns []patientColumn
}

// patientColumn is a column of the table.
type patientColumn struct {
	title string
	cell  func(p *shownPatient) string
}

// shownPatient is a patient with the statistics of one period.
type shownPatient struct {
	*patients.Patient
	cgmDates, bgmDates summary.Dates
	cgm                summary.CGMPeriod
	bgm                summary.BGMPeriod
}

// milligrams is how many mg/dL are one mmol/L.
const milligrams = 18.01559

func newPatientTable(clinic *clinics.Clinic, period string) *patientTable {
	t := &patientTable{local: newLocalTime(clinic), mgdl: clinic.PreferredBGUnits != "mmol/L", period: period, groups: map[bson.ObjectID]string{}}
	if t.period == "" {
		t.period = summary.DefaultPeriod
	}
	for _, tag := range clinic.PatientTags {
		t.groups[tag.ID] = tag.Name
	}
	t.columns = slices.Concat(t.personal(), t.monitor(), t.meter())
	return t
}

func (t *patientTable) titles() []string {
	var titles []string
	for _, column := range t.columns {
		titles = append(titles, column.title)
	}
	return titles
}

// append appends a line, with the cursor at its end unless that is "".
func (t *patientTable) append(body []byte, row roster.Row, cursor string) ([]byte, error) {
	shown := &shownPatient{Patient: &row.Patient}
	stored, err := row.Summary.Decode()
	if err != nil {
		return nil, err
	}
	if stored != nil && stored.CGMStats != nil {
		shown.cgmDates, shown.cgm = stored.CGMStats.Dates, stored.CGMStats.Periods[t.period]
	}
	if stored != nil && stored.BGMStats != nil {
		shown.bgmDates, shown.bgm = stored.BGMStats.Dates, stored.BGMStats.Periods[t.period]
	}
	cells := make([]string, 0, len(t.columns)+1)
	for _, column := range t.columns {
		cells = append(cells, column.cell(shown))
	}
	if cursor != "" {
		cells = append(cells, cursor)
	}
	return appendCells(body, cells), nil
}

func (t *patientTable) personal() []patientColumn {
	return []patientColumn{
		{"Patient id", func(p *shownPatient) string { return p.UserID }},
		{"Name", func(p *shownPatient) string { return valueOf(p.FullName) }},
		{"Birth date", func(p *shownPatient) string { return p.BirthDate }},
		{"MRN", func(p *shownPatient) string { return valueOf(p.MRN) }},
		{"E-mail", func(p *shownPatient) string { return valueOf(p.Email) }},
		{"Tags", t.tags},
		{"Sites", func(p *shownPatient) string {
			var names []string
			for _, site := range p.Sites {
				names = append(names, site.Name)
			}
			return strings.Join(names, "; ")
		}},
		{"Diagnosis", func(p *shownPatient) string { return string(valueOf(diagnosisTypeWire(p.DiagnosisType))) }},
		{"Devices", func(p *shownPatient) string { return strings.Join(p.TargetDevices, "; ") }},
		{"Data sources", func(p *shownPatient) string {
			var sources []string
			for _, source := range valueOf(p.DataSources) {
				sources = append(sources, source.ProviderName+" "+source.State)
			}
			return strings.Join(sources, "; ")
		}},
		{t.local.title("Added"), func(p *shownPatient) string { return t.local.cell(&p.CreatedTime) }},
		{t.local.title("Last reviewed"), func(p *shownPatient) string {
			if len(p.Reviews) == 0 {
				return ""
			}
			return t.local.cell(&p.Reviews[0].Time)
		}},
	}
}

// tags names tags; one that the clinic does not have any more has only its id.
func (t *patientTable) tags(p *shownPatient) string {
	var names []string
	for _, id := range p.Tags {
		name, ok := t.groups[id]
		if !ok {
			name = id.Hex()
		}
		names = append(names, name)
	}
	return strings.Join(names, "; ")
}

func (t *patientTable) monitor() []patientColumn {
	return []patientColumn{
		{t.local.title("CGM last data"), func(p *shownPatient) string { return t.local.cell(p.cgmDates.LastData) }},
		{t.local.title("CGM last upload"), func(p *shownPatient) string { return t.local.cell(p.cgmDates.LastUploadDate) }},
		{t.glucoseTitle("CGM average glucose"), func(p *shownPatient) string { return t.glucose(p.cgm.AverageGlucoseMmol) }},
		{t.of("CGM GMI", "%"), func(p *shownPatient) string { return decimal(p.cgm.GlucoseManagementIndicator, 1) }},
		{t.of("CGM use", "%"), func(p *shownPatient) string { return percent(p.cgm.TimeCGMUsePercent) }},
		{t.of("CGM very low", "%"), func(p *shownPatient) string { return percent(p.cgm.TimeInVeryLowPercent) }},
		{t.of("CGM low", "%"), func(p *shownPatient) string { return percent(p.cgm.TimeInLowPercent) }},
		{t.of("CGM in target", "%"), func(p *shownPatient) string { return percent(p.cgm.TimeInTargetPercent) }},
		{t.of("CGM high", "%"), func(p *shownPatient) string { return percent(p.cgm.TimeInHighPercent) }},
		{t.of("CGM very high", "%"), func(p *shownPatient) string { return percent(p.cgm.TimeInVeryHighPercent) }},
		{t.of("CGM coefficient of variation", "%"), func(p *shownPatient) string { return percent(known(p.cgm.CoefficientOfVariation)) }},
	}
}

func (t *patientTable) meter() []patientColumn {
	return []patientColumn{
		{t.local.title("BGM last data"), func(p *shownPatient) string { return t.local.cell(p.bgmDates.LastData) }},
		{t.local.title("BGM last upload"), func(p *shownPatient) string { return t.local.cell(p.bgmDates.LastUploadDate) }},
		{t.glucoseTitle("BGM average glucose"), func(p *shownPatient) string { return t.glucose(p.bgm.AverageGlucoseMmol) }},
		{t.of("BGM readings a day", ""), func(p *shownPatient) string { return decimal(p.bgm.AverageDailyRecords, 1) }},
		{t.of("BGM very low readings", ""), func(p *shownPatient) string { return whole(p.bgm.TimeInVeryLowRecords) }},
		{t.of("BGM very high readings", ""), func(p *shownPatient) string { return whole(p.bgm.TimeInVeryHighRecords) }},
	}
}

// of returns the title of a statistic.
func (t *patientTable) of(name, unit string) string {
	if unit != "" {
		unit = ", " + unit
	}
	return name + " (" + t.period + unit + ")"
}

func (t *patientTable) glucoseTitle(name string) string {
	if t.mgdl {
		return t.of(name, "mg/dL")
	}
	return t.of(name, "mmol/L")
}

// glucose shows a value in mmol/L as the clinic wants it.
func (t *patientTable) glucose(value *float64) string {
	if value == nil || !t.mgdl {
		return decimal(value, 1)
	}
	converted := *value * milligrams
	return decimal(&converted, 0)
}

// known returns nil for 0, by which a spread is told that nobody knows.
func known(value float64) *float64 {
	if value == 0 {
		return nil
	}
	return &value
}

func percent(share *float64) string {
	if share == nil {
		return ""
	}
	const whole = 100
	return decimal(new(*share*whole), 1)
}

func decimal(value *float64, digits int) string {
	if value == nil || math.IsNaN(*value) || math.IsInf(*value, 0) {
		return ""
	}
	return strconv.FormatFloat(*value, 'f', digits, 64)
}

func whole(number *int) string {
	if number == nil {
		return ""
	}
	return strconv.Itoa(*number)
}
