package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/summary"
)

// seededTime is what seeding takes for now, so that the same number of patients always makes the same clinic.
var seededTime = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// maker makes patients. The same seed makes the same patients.
type maker struct {
	random   *rand.Rand
	clinicID bson.ObjectID
	tags     []bson.ObjectID
	sites    []patients.Site
}

var (
	givenNames  = strings.Fields("Ada Ben Cleo Dmitri Élodie Farid Greta Hiro Ines Jonas Kira Luís Mona Nils Olga Pär Quinn Rosa Søren Tess Uma Viktor Wanda Ximena Yusuf Zoë")
	familyNames = strings.Fields("Abbott Álvarez Becker Brown Çelik Dubois Evans Fischer García Hansen Ivanov Jensen Kowalski Lopez Müller Nguyen O'Neil Petrov Quist Rossi Schmidt Tanaka Ueda Vargas Weber Xu Young Zhang")
	diagnoses   = []string{"type1", "type2", "gestational", "lada", ""}
)

// patient returns the n-th patient. Every fifth has no meter, every twentieth no summary.
func (m *maker) patient(n int) *patients.Patient {
	created := seededTime.AddDate(-2, 0, 0).Add(time.Duration(n) * time.Second)
	p := &patients.Patient{
		ID:          m.id(n),
		ClinicID:    m.clinicID,
		UserID:      userID(n),
		BirthDate:   created.AddDate(-m.random.IntN(80), 0, -m.random.IntN(365)).Format(time.DateOnly),
		Email:       ptr(fmt.Sprintf("patient%d@example.com", n)),
		FullName:    ptr(fmt.Sprintf("%s %s %d", pick(m.random, givenNames), pick(m.random, familyNames), n)),
		MRN:         ptr(mrn(n)),
		CreatedTime: created,
		UpdatedTime: created,
		Permissions: &patients.Permissions{Custodian: &patients.Grant{}, View: &patients.Grant{}, Upload: &patients.Grant{}, Note: &patients.Grant{}},
		Tags:        patients.TagIDs{m.tags[n%len(m.tags)]},
		Sites:       patients.Sites{m.sites[n%len(m.sites)]},
		DataSources: &[]patients.DataSource{{ProviderName: "dexcom", State: pick(m.random, []string{"connected", "pending", "error"})}},
		Reviews:     []patients.Review{{ClinicianID: "be0ffffff1", Time: created.AddDate(1, 0, m.random.IntN(300))}},

		DiagnosisType: ptr(pick(m.random, diagnoses)),
	}
	if n%20 != 19 {
		p.Summary = m.summary(n)
	}
	return p
}

// id is derived from the number, but not in the order of numbers: records of real clinics are not created in the order of
// names either.
func (m *maker) id(n int) bson.ObjectID {
	var id bson.ObjectID
	copy(id[:], m.clinicID[:])
	mixed := uint64(n)*0x9E3779B97F4A7C15 ^ binary.LittleEndian.Uint64(m.clinicID[4:])
	for i := range 8 {
		id[4+i] = byte(mixed >> (8 * i))
	}
	return id
}

func (m *maker) summary(n int) *summary.Summary {
	last := seededTime.Add(-time.Duration(m.random.IntN(60*24)) * time.Hour)
	dates := summary.Dates{
		HasFirstData: true, FirstData: ptr(last.AddDate(-1, 0, 0)), HasLastData: true, LastData: &last,
		HasLastUploadDate: true, LastUploadDate: ptr(last.Add(time.Hour)), LastUpdatedDate: ptr(last.Add(2 * time.Hour)),
		LastUpdatedReason: &[]string{"UPLOAD_COMPLETED"},
	}
	config := summary.Config{SchemaVersion: 5, HighGlucoseThreshold: 10, VeryHighGlucoseThreshold: 13.9, LowGlucoseThreshold: 3.9, VeryLowGlucoseThreshold: 3}
	statistics := &summary.Summary{
		CGMStats: &summary.CGMStats{ID: ptr(fmt.Sprintf("%024x", 2*n)), Config: config, Dates: dates, Periods: map[string]summary.CGMPeriod{}},
	}
	for _, name := range []string{"1d", "7d", "14d", "30d"} {
		var period summary.CGMPeriod
		m.fill(&period)
		statistics.CGMStats.Periods[name] = period
	}
	if n%5 == 4 {
		return statistics
	}
	statistics.BGMStats = &summary.BGMStats{ID: ptr(fmt.Sprintf("%024x", 2*n+1)), Config: config, Dates: dates, Periods: map[string]summary.BGMPeriod{}}
	for _, name := range []string{"1d", "7d", "14d", "30d"} {
		var period summary.BGMPeriod
		m.fill(&period)
		statistics.BGMStats.Periods[name] = period
	}
	return statistics
}

// fill gives every field of a period a value, by its type: fractions, counts, and flags that say that the values are known.
func (m *maker) fill(period any) {
	fields := reflect.ValueOf(period).Elem()
	for i := range fields.NumField() {
		field := fields.Field(i)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		switch field.Kind() {
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Int:
			field.SetInt(int64(m.random.IntN(4000)))
		case reflect.Float64:
			field.SetFloat(m.random.Float64())
		}
	}
}

func userID(n int) string { return fmt.Sprintf("%010x", 0xbe00000000+n) }

func mrn(n int) string { return fmt.Sprintf("MRN-%07d", n) }

// copy returns a maker that may be used beside this one.
func (m *maker) copy(n int) *maker {
	random := rand.New(rand.NewPCG(2, uint64(n)))
	return &maker{random: random, clinicID: m.clinicID, tags: m.tags, sites: m.sites}
}

func pick[T any](random *rand.Rand, values []T) T { return values[random.IntN(len(values))] }

func ptr[T any](value T) *T { return &value }
