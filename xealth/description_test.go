package xealth

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/summary"
)

func at(day int) *time.Time {
	t := time.Date(2024, 1, day, 12, 0, 0, 0, time.UTC)
	return &t
}

func TestConnections(t *testing.T) {
	t.Parallel()
	for want, sources := range map[string]*[]patients.DataSource{
		"None":                               nil,
		"Abbott (connected), twiist (error)": {{ProviderName: "twiist", State: "error"}, {ProviderName: "abbott", State: "connected"}},
		"Dexcom (pending reconnect)":         {{ProviderName: "dexcom", State: "pendingReconnect"}},
		"Dexcom (connected)":                 {{ProviderName: "dexcom", State: "connected", ModifiedTime: at(2)}, {ProviderName: "dexcom", State: "error", ModifiedTime: at(1)}, {ProviderName: "dexcom", State: "pending"}},
		"Dexcom (error)":                     {{ProviderName: "dexcom", State: "connected"}, {ProviderName: "dexcom", State: "error"}},
	} {
		require.Equal(t, want, connections(&patients.Patient{DataSources: sources}))
	}
	require.Equal(t, "None", connections(&patients.Patient{DataSources: &[]patients.DataSource{}}))
}

func TestClaimed(t *testing.T) {
	t.Parallel()
	require.Equal(t, "No", claimed(&patients.Patient{}))
	require.Equal(t, "No", claimed(&patients.Patient{Permissions: &patients.Permissions{Custodian: &patients.Grant{}}}))
	require.Equal(t, "Yes", claimed(&patients.Patient{Permissions: &patients.Permissions{}}))
}

func TestProgramDates(t *testing.T) {
	t.Parallel()
	statistics := func(cgm, bgm summary.Dates) *summary.Summary {
		return &summary.Summary{CGMStats: &summary.CGMStats{Dates: cgm}, BGMStats: &summary.BGMStats{Dates: bgm}}
	}
	for name, test := range map[string]struct {
		summary             *summary.Summary
		viewed              time.Time
		upload              string
		alert, hasStatusURL bool
	}{
		"nothing":              {nil, time.Time{}, "N/A", false, false},
		"viewed, nothing":      {nil, *at(5), "N/A", false, false},
		"never viewed":         {statistics(summary.Dates{LastUpdatedDate: at(3)}, summary.Dates{LastUpdatedDate: at(4), LastUploadDate: at(1)}), time.Time{}, "2024-01-04", true, true},
		"viewed at that time":  {statistics(summary.Dates{LastUpdatedDate: at(3)}, summary.Dates{}), *at(3), "2024-01-03", false, false},
		"viewed before":        {statistics(summary.Dates{LastUpdatedDate: at(3), LastUploadDate: at(3)}, summary.Dates{}), *at(2), "2024-01-03", true, true},
		"fingersticks are old": {statistics(summary.Dates{LastUpdatedDate: at(9)}, summary.Dates{LastUpdatedDate: at(4)}), *at(5), "2024-01-09", true, false},
	} {
		shown := program(&patients.Patient{Summary: test.summary}, enrollment{ProgramID: "1", EventTimeStamp: *at(1)}, test.viewed)
		require.Contains(t, shown.Description, "Last Upload: "+test.upload+" |", name)
		require.Equal(t, []bool{test.alert, test.hasStatusURL}, []bool{shown.HasAlert, shown.HasStatusView}, name)
		require.Equal(t, "2024-01-01", shown.EnrolledDate)
	}
}

func TestEnrollingEvent(t *testing.T) {
	t.Parallel()
	first, last := bson.NewObjectID(), bson.NewObjectID()
	subscribed := func(change func(*patients.EHRSubscription)) *patients.Patient {
		s := patients.EHRSubscription{Active: true, Provider: clinics.ProviderXealth, MatchedMessages: []patients.MatchedMessage{{ID: first}, {ID: last}}}
		change(&s)
		return &patients.Patient{EHRSubscriptions: map[string]patients.EHRSubscription{patients.XealthReports: s}}
	}
	id, ok := enrollingEvent(subscribed(func(*patients.EHRSubscription) {}))
	require.Equal(t, []any{last, true}, []any{id, ok})
	for _, patient := range []*patients.Patient{
		nil, {},
		subscribed(func(s *patients.EHRSubscription) { s.Active = false }),
		subscribed(func(s *patients.EHRSubscription) { s.Provider = clinics.ProviderRedox }),
		subscribed(func(s *patients.EHRSubscription) { s.MatchedMessages = nil }),
	} {
		_, ok := enrollingEvent(patient)
		require.False(t, ok)
	}
}
