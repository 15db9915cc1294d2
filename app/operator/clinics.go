package operator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// clinicsAtOnce is how many clinics are read at once.
const clinicsAtOnce = 500

func (t *tool) listClinics() *cobra.Command {
	var all bool
	command := &cobra.Command{
		Use: "list", Short: "List the clinics whose integration is enabled", Args: cobra.NoArgs,
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			count := 0
			for clinic, err := range t.allClinics(ctx, !all) {
				if err != nil {
					return err
				}
				t.output.print(clinicRow{ID: clinic.ID.Hex(), Name: orEmpty(clinic.Name)})
				count++
			}
			t.output.print(found{Found: count, Noun: "clinics"})
			return nil
		}),
	}
	command.Flags().BoolVar(&all, "all", false, "list also clinics without an integration")
	return command
}

// allClinics goes through the clinics, ordered by id, and ends with the first error.
func (t *tool) allClinics(ctx context.Context, onlyEnabled bool) iter.Seq2[*clinics.Clinic, error] {
	var filter clinics.Filter
	if onlyEnabled {
		filter.EHREnabled = &onlyEnabled
	}
	return func(yield func(*clinics.Clinic, error) bool) {
		for offset := 0; ; offset += clinicsAtOnce {
			list, err := t.services.Clinics.List(ctx, filter, store.Page{Offset: offset, Limit: clinicsAtOnce})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, clinic := range list {
				if !yield(clinic, nil) {
					return
				}
			}
			if len(list) < clinicsAtOnce {
				return
			}
		}
	}
}

type clinicRow struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (r clinicRow) line() string { return r.ID + " " + r.Name }

func (t *tool) showClinic() *cobra.Command {
	return &cobra.Command{
		Use: "show CLINIC_ID", Short: "Show the integration of a clinic and how many patients it reaches", Args: cobra.ExactArgs(1),
		RunE: t.connected(func(ctx context.Context, args []string) error {
			clinic, err := t.clinic(ctx, args[0])
			if err != nil {
				return err
			}
			view := clinicView{clinicRow: clinicRow{ID: clinic.ID.Hex(), Name: orEmpty(clinic.Name)}}
			if clinic.EHRSettings != nil {
				view.Settings = settingsOf(clinic.EHRSettings)
				if view.Problem, err = t.problem(ctx, clinic); err != nil {
					return err
				}
			}
			if view.Patients, err = t.reach(ctx, clinic); err != nil {
				return err
			}
			t.output.print(view)
			return nil
		}),
	}
}

// clinicView is what an operator wants to know about a clinic.
type clinicView struct {
	clinicRow
	Settings *settingsView `json:"settings"` // nil: it was never connected
	Problem  string        `json:"problem,omitempty"`
	Patients patientCounts `json:"patients"`
}

type settingsView struct {
	Enabled         bool              `json:"enabled"`
	Provider        string            `json:"provider"`
	SourceID        string            `json:"sourceId"`
	MRNIDType       string            `json:"mrnIdType"`
	ProcedureCodes  map[string]string `json:"procedureCodes"`
	HasDestinations bool              `json:"hasDestinations"`
	Cadence         string            `json:"cadence"`
	OnUpload        bool              `json:"onUpload"`
}

type patientCounts struct {
	Total             int `json:"total"`
	WithMRN           int `json:"withMrn"`
	WithSubscription  int `json:"withSubscription"`
	ActiveSubscribers int `json:"activeRedoxSubscriptions"`
}

func settingsOf(s *clinics.EHRSettings) *settingsView {
	view := &settingsView{
		Enabled: s.Enabled, Provider: s.Provider, SourceID: s.SourceID, MRNIDType: s.MRNType(), ProcedureCodes: map[string]string{},
		HasDestinations: s.DestinationIDs != nil, Cadence: s.ScheduledReports.Cadence, OnUpload: s.ScheduledReports.OnUploadEnabled,
	}
	for _, code := range procedureCodes(s.ProcedureCodes) {
		if code.value != nil {
			view.ProcedureCodes[code.name] = *code.value
		}
	}
	return view
}

type procedureCode struct {
	name  string
	value *string
}

func procedureCodes(codes clinics.EHRProcedures) []procedureCode {
	return []procedureCode{
		{"enableSummaryReports", codes.EnableSummaryReports},
		{"disableSummaryReports", codes.DisableSummaryReports},
		{"createAccount", codes.CreateAccount},
		{"createAccountAndEnableReports", codes.CreateAccountAndEnableReports},
	}
}

// problem returns why no order can reach a clinic whose integration with Redox is on, or "".
func (t *tool) problem(ctx context.Context, clinic *clinics.Clinic) (string, error) {
	settings := clinic.EHRSettings
	switch {
	case !settings.Enabled:
		return "the integration is off", nil
	case settings.Provider != clinics.ProviderRedox:
		return "", nil
	case settings.SourceID == "":
		return "the source id is empty: no order can name it", nil
	}
	_, err := t.services.Clinics.FindByEHRSource(ctx, settings.Provider, settings.SourceID)
	if errors.Is(err, clinics.ErrMultipleMatches) {
		return "another clinic has the same source id: orders match neither", nil
	}
	if err == nil && settings.DestinationIDs == nil {
		return "there are no destinations: nothing can be sent back", nil
	}
	return "", err
}

func (t *tool) reach(ctx context.Context, clinic *clinics.Clinic) (counts patientCounts, err error) {
	yes := true
	for _, count := range []struct {
		into   *int
		filter roster.EHRFilter
	}{
		{&counts.Total, roster.EHRFilter{}},
		{&counts.WithMRN, roster.EHRFilter{MRN: &yes}},
		{&counts.WithSubscription, roster.EHRFilter{Subscribed: &yes}},
	} {
		if *count.into, err = t.services.Roster.CountForEHR(ctx, clinic.ID, count.filter); err != nil {
			return counts, err
		}
	}
	counts.ActiveSubscribers, err = t.services.Roster.CountReportSubscribers(ctx, clinic.ID)
	return counts, err
}

func (v clinicView) line() string {
	lines := []string{v.clinicRow.line()}
	if s := v.Settings; s == nil {
		lines = append(lines, "Never connected")
	} else {
		lines = append(lines,
			fmt.Sprintf("Enabled %t - Provider %s - Source %s - MRN type %s", s.Enabled, orEmpty(&s.Provider), orEmpty(&s.SourceID), s.MRNIDType),
			fmt.Sprintf("Reports every %s, on upload %t - Destinations set %t", orEmpty(&s.Cadence), s.OnUpload, s.HasDestinations),
		)
		for _, code := range procedureCodes(clinics.EHRProcedures{}) {
			if value, ok := s.ProcedureCodes[code.name]; ok {
				lines = append(lines, fmt.Sprintf("Procedure code %s: %s", code.name, value))
			}
		}
	}
	if v.Problem != "" {
		lines = append(lines, "Problem: "+v.Problem)
	}
	return strings.Join(append(lines, fmt.Sprintf("Patients %d - with MRN %d - with subscription %d - with active Redox subscription %d",
		v.Patients.Total, v.Patients.WithMRN, v.Patients.WithSubscription, v.Patients.ActiveSubscribers)), "\n")
}
