package merge

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

// Report is the plan in a form for debugging. COMPAT: the names of its members begin with capitals; those of the outermost
// ones stay.
type Report struct {
	Source                          ReportedClinic
	Target                          ReportedClinic
	MembershipRestrictionsMergePlan ReportedRestrictions
	SourcePatientClusters           []ReportedCluster
	TargetPatientClusters           []ReportedCluster
	SettingsPlans                   []ReportedSetting
	TagsPlans                       []ReportedTag
	SitesPlans                      []ReportedSite
	ClinicianPlans                  []ReportedMember
	PatientPlans                    []ReportedPatientPlan
	CreatedTime                     time.Time
}

// ReportedClinic is one of the two clinics.
type ReportedClinic struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Tags  []ReportedName `json:"patientTags"`
	Sites []ReportedName `json:"sites"`
}

// ReportedName is a tag or a site with its number of patients.
type ReportedName struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Patients int    `json:"patients"`
}

// ReportedRestrictions compares who may become a member.
type ReportedRestrictions struct{ SourceValue, TargetValue string }

// ReportedSetting compares a setting.
type ReportedSetting struct{ Name, SourceValue, TargetValue string }

// ReportedError says what stands in the way; nil stands for nothing.
type ReportedError struct{ Message string }

// ReportedCluster is a group of patients of a clinic who may be one person.
type ReportedCluster struct{ Patients []ReportedClusterMember }

// ReportedClusterMember is a patient with the user ids of those who are like that one.
type ReportedClusterMember struct {
	Patient   ReportedPatient
	Conflicts map[Category][]string
	// ConflictCounts is there if Conflicts is cut off.
	ConflictCounts map[Category]int `json:",omitempty"`
}

// ReportedTag says what becomes of a tag.
type ReportedTag struct {
	Name           string
	TagAction      Action
	Workspaces     []string
	Merge          bool
	SourceClinicId *string //nolint:revive // part of the interface
	TargetClinicId string  //nolint:revive // part of the interface
}

// ReportedSite says what becomes of a site.
type ReportedSite struct {
	Site            ReportedName
	Action          Action
	SourceWorkspace string
	ExpectedRename  string
	SourceClinicId  *string //nolint:revive // part of the interface
	TargetClinicId  string  //nolint:revive // part of the interface
}

// ReportedMember says what becomes of a member.
type ReportedMember struct {
	Clinician        ReportedClinician
	ClinicianAction  Action
	Downgraded       bool
	ResultingRoles   []string
	Workspaces       []string
	SourceClinicName string
	TargetClinicName string
	Error            *ReportedError
}

// ReportedClinician is a member or a pending invite.
type ReportedClinician struct {
	ID     string   `json:"id"`
	UserID string   `json:"userId,omitempty"`
	Email  string   `json:"email,omitempty"`
	Name   string   `json:"name,omitempty"`
	Roles  []string `json:"roles"`
}

// ReportedPatient is a patient.
type ReportedPatient struct {
	ID        string `json:"id"`
	FullName  string `json:"fullName"`
	BirthDate string `json:"birthDate"`
	MRN       string `json:"mrn,omitempty"`
	Claimed   bool   `json:"claimed"`
}

// ReportedPatientPlan says what becomes of a patient.
type ReportedPatientPlan struct {
	SourcePatient              *ReportedPatient
	TargetPatient              *ReportedPatient
	Conflicts                  map[Category][]ReportedPatient
	ConflictCounts             map[Category]int `json:",omitempty"` // if Conflicts is cut off
	PatientAction              Action
	SourceTagNames             []string
	TargetTagNames             []string
	SourceSiteNames            []string
	RenamedSiteNames           []string
	TargetSiteNames            []string
	PostMigrationTagNames      []string
	PostMigrationSiteNames     []string
	PostMigrationMRNUniqueness bool
	CanExecuteAction           bool
	Error                      *ReportedError
}

// Report returns the plan in a form for debugging.
func (p *Plan) Report() Report {
	return Report{
		Source: reportClinic(p.Source), Target: reportClinic(p.Target), CreatedTime: p.CreatedTime,
		MembershipRestrictionsMergePlan: ReportedRestrictions{SourceValue: p.Restrictions.SourceValue, TargetValue: p.Restrictions.TargetValue},
		SourcePatientClusters:           each(Clusters(p.Source.Patients), reportCluster),
		TargetPatientClusters:           each(Clusters(p.Target.Patients), reportCluster),
		SettingsPlans: each(p.Settings, func(s *SettingPlan) ReportedSetting {
			return ReportedSetting{Name: s.Name, SourceValue: s.SourceValue, TargetValue: s.TargetValue}
		}),
		TagsPlans:      each(p.Tags, reportTag),
		SitesPlans:     each(p.Sites, reportSite),
		ClinicianPlans: each(p.Members, p.reportMember),
		PatientPlans:   each(p.Patients, p.reportPatient),
	}
}

// each returns what report says of every item. The list is never nil.
func each[T, R any](items []T, report func(*T) R) []R {
	reported := make([]R, 0, len(items))
	for i := range items {
		reported = append(reported, report(&items[i]))
	}
	return reported
}

func reportClinic(w *Workspace) ReportedClinic {
	return ReportedClinic{
		ID: w.Clinic.ID.Hex(), Name: w.Name(),
		Tags: each(w.Clinic.PatientTags, func(t *clinics.PatientTag) ReportedName {
			return ReportedName{ID: t.ID.Hex(), Name: t.Name, Patients: w.Clinic.TagCount(t.ID)}
		}),
		Sites: each(w.Clinic.Sites, func(s *clinics.Site) ReportedName {
			return ReportedName{ID: s.ID.Hex(), Name: s.Name, Patients: w.Clinic.SiteCount(s.ID)}
		}),
	}
}

func reportCluster(c *Cluster) ReportedCluster {
	return ReportedCluster{Patients: each(c.Members, func(m *ClusterMember) ReportedClusterMember {
		alike := m.Alike()
		return ReportedClusterMember{Patient: *reportPatient(m.Patient), Conflicts: alike, ConflictCounts: cutOff(alike, m.Counts())}
	})}
}

func reportTag(t *TagPlan) ReportedTag {
	return ReportedTag{
		Name: t.Name, TagAction: t.Action, Workspaces: t.Workspaces, Merge: t.Merge,
		SourceClinicId: hex(t.SourceID), TargetClinicId: t.TargetID.Hex(),
	}
}

func reportSite(s *SitePlan) ReportedSite {
	return ReportedSite{
		Site:   ReportedName{ID: s.Site.ID.Hex(), Name: s.Site.Name, Patients: s.Patients},
		Action: s.Action, SourceWorkspace: s.Workspace, ExpectedRename: s.NewName,
		SourceClinicId: hex(s.SourceID), TargetClinicId: s.TargetID.Hex(),
	}
}

func hex(id *bson.ObjectID) *string {
	if id == nil {
		return nil
	}
	text := id.Hex()
	return &text
}

func (p *Plan) reportMember(m *MemberPlan) ReportedMember {
	return ReportedMember{
		Clinician: ReportedClinician{
			ID: m.Member.ID.Hex(), UserID: valueOf(m.Member.UserID), Email: valueOf(m.Member.Email), Name: valueOf(m.Member.Name), Roles: m.Member.Roles,
		},
		ClinicianAction: m.Action, Downgraded: m.Downgraded, ResultingRoles: m.ResultingRoles, Workspaces: m.Workspaces,
		SourceClinicName: p.Source.Name(), TargetClinicName: p.Target.Name(), Error: reportError(m.Obstacle),
	}
}

func reportError(obstacle Obstacle) *ReportedError {
	if obstacle == "" {
		return nil
	}
	return &ReportedError{Message: string(obstacle)}
}

func reportPatient(patient *Patient) *ReportedPatient {
	if patient == nil {
		return nil
	}
	return &ReportedPatient{
		ID: patient.UserID, FullName: patient.FullName, BirthDate: patient.BirthDate, MRN: patient.MRN, Claimed: patient.Claimed,
	}
}

func (p *Plan) reportPatient(plan *PatientPlan) ReportedPatientPlan {
	n := p.Names(plan)
	reported := ReportedPatientPlan{
		PatientAction: plan.Action, SourceTagNames: n.SourceTags, TargetTagNames: n.TargetTags, SourceSiteNames: n.SourceSites,
		RenamedSiteNames: n.MergedSites, TargetSiteNames: n.TargetSites, PostMigrationTagNames: n.AfterTags, PostMigrationSiteNames: n.AfterSites,
		PostMigrationMRNUniqueness: plan.UniqueMRN, CanExecuteAction: plan.Obstacle == "", Error: reportError(plan.Obstacle),
	}
	if !plan.FromSource {
		reported.TargetPatient = reportPatient(plan.Patient)
		return reported
	}
	reported.SourcePatient, reported.TargetPatient = reportPatient(plan.Patient), reportPatient(plan.Into)
	reported.Conflicts = map[Category][]ReportedPatient{}
	for _, match := range p.Matches(plan) {
		reported.Conflicts[match.Category] = append(reported.Conflicts[match.Category], *reportPatient(&p.Target.Patients[match.Index]))
	}
	reported.ConflictCounts = cutOff(reported.Conflicts, p.MatchCounts(plan))
	return reported
}

// cutOff returns the counts if not all that is counted is shown, or else nil.
func cutOff[T any](shown map[Category][]T, counts map[Category]int) map[Category]int {
	for category, n := range counts {
		if len(shown[category]) < n {
			return counts
		}
	}
	return nil
}
