package merge

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

// Report is the plan in a form for debugging. COMPAT: the names of its members begin with capitals; those of the outermost
// ones stay.
type Report struct {
	Source                          reportedClinic
	Target                          reportedClinic
	MembershipRestrictionsMergePlan reportedRestrictions
	SourcePatientClusters           []reportedCluster
	TargetPatientClusters           []reportedCluster
	SettingsPlans                   []reportedSetting
	TagsPlans                       []reportedTag
	SitesPlans                      []reportedSite
	ClinicianPlans                  []reportedMember
	PatientPlans                    []reportedPatientPlan
	CreatedTime                     time.Time
}

// reportedClinic is one of the two clinics.
type reportedClinic struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Tags  []reportedName `json:"patientTags"`
	Sites []reportedName `json:"sites"`
}

// reportedName is a tag or a site with its number of patients.
type reportedName struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Patients int    `json:"patients"`
}

// reportedRestrictions compares who may become a member.
type reportedRestrictions struct{ SourceValue, TargetValue string }

// reportedSetting compares a setting.
type reportedSetting struct{ Name, SourceValue, TargetValue string }

// reportedError says what stands in the way; nil stands for nothing.
type reportedError struct{ Message string }

// reportedCluster is a group of patients of a clinic who may be one person.
type reportedCluster struct{ Patients []reportedClusterMember }

// reportedClusterMember is a patient with the user ids of those who are like that one.
type reportedClusterMember struct {
	Patient   reportedPatient
	Conflicts map[Category][]string
	// ConflictCounts is there if Conflicts is cut off.
	ConflictCounts map[Category]int `json:",omitempty"`
}

// reportedTag says what becomes of a tag.
type reportedTag struct {
	Name           string
	TagAction      Action
	Workspaces     []string
	Merge          bool
	SourceClinicId *string
	TargetClinicId string
}

// reportedSite says what becomes of a site.
type reportedSite struct {
	Site            reportedName
	Action          Action
	SourceWorkspace string
	ExpectedRename  string
	SourceClinicId  *string
	TargetClinicId  string
}

// reportedMember says what becomes of a member.
type reportedMember struct {
	Clinician        reportedClinician
	ClinicianAction  Action
	Downgraded       bool
	ResultingRoles   []string
	Workspaces       []string
	SourceClinicName string
	TargetClinicName string
	Error            *reportedError
}

// reportedClinician is a member or a pending invite.
type reportedClinician struct {
	ID     string   `json:"id"`
	UserID string   `json:"userId,omitempty"`
	Email  string   `json:"email,omitempty"`
	Name   string   `json:"name,omitempty"`
	Roles  []string `json:"roles"`
}

// reportedPatient is a patient.
type reportedPatient struct {
	ID        string `json:"id"`
	FullName  string `json:"fullName"`
	BirthDate string `json:"birthDate"`
	MRN       string `json:"mrn,omitempty"`
	Claimed   bool   `json:"claimed"`
}

// reportedPatientPlan says what becomes of a patient.
type reportedPatientPlan struct {
	SourcePatient              *reportedPatient
	TargetPatient              *reportedPatient
	Conflicts                  map[Category][]reportedPatient
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
	Error                      *reportedError
}

// Report returns the plan in a form for debugging.
func (p *Plan) Report() Report {
	return Report{
		Source: reportClinic(p.Source), Target: reportClinic(p.Target), CreatedTime: p.CreatedTime,
		MembershipRestrictionsMergePlan: reportedRestrictions{SourceValue: p.Restrictions.SourceValue, TargetValue: p.Restrictions.TargetValue},
		SourcePatientClusters:           each(Clusters(p.Source.Patients), reportCluster),
		TargetPatientClusters:           each(Clusters(p.Target.Patients), reportCluster),
		SettingsPlans: each(p.Settings, func(s *settingPlan) reportedSetting {
			return reportedSetting{Name: s.Name, SourceValue: s.SourceValue, TargetValue: s.TargetValue}
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

func reportClinic(w *Workspace) reportedClinic {
	return reportedClinic{
		ID: w.Clinic.ID.Hex(), Name: w.Name(),
		Tags: each(w.Clinic.PatientTags, func(t *clinics.PatientTag) reportedName {
			return reportedName{ID: t.ID.Hex(), Name: t.Name, Patients: w.Clinic.TagCount(t.ID)}
		}),
		Sites: each(w.Clinic.Sites, func(s *clinics.Site) reportedName {
			return reportedName{ID: s.ID.Hex(), Name: s.Name, Patients: w.Clinic.SiteCount(s.ID)}
		}),
	}
}

func reportCluster(c *Cluster) reportedCluster {
	return reportedCluster{Patients: each(c.Members, func(m *clusterMember) reportedClusterMember {
		alike := m.Alike()
		return reportedClusterMember{Patient: *reportPatient(m.Patient), Conflicts: alike, ConflictCounts: cutOff(alike, m.Counts())}
	})}
}

func reportTag(t *TagPlan) reportedTag {
	return reportedTag{
		Name: t.Name, TagAction: t.Action, Workspaces: t.Workspaces, Merge: t.Merge,
		SourceClinicId: hex(t.SourceID), TargetClinicId: t.TargetID.Hex(),
	}
}

func reportSite(s *sitePlan) reportedSite {
	return reportedSite{
		Site:   reportedName{ID: s.Site.ID.Hex(), Name: s.Site.Name, Patients: s.Patients},
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

func (p *Plan) reportMember(m *MemberPlan) reportedMember {
	return reportedMember{
		Clinician: reportedClinician{
			ID: m.Member.ID.Hex(), UserID: valueOf(m.Member.UserID), Email: valueOf(m.Member.Email), Name: valueOf(m.Member.Name), Roles: m.Member.Roles,
		},
		ClinicianAction: m.Action, Downgraded: m.Downgraded, ResultingRoles: m.ResultingRoles, Workspaces: m.Workspaces,
		SourceClinicName: p.Source.Name(), TargetClinicName: p.Target.Name(), Error: reportError(m.Obstacle),
	}
}

func reportError(obstacle Obstacle) *reportedError {
	if obstacle == "" {
		return nil
	}
	return &reportedError{Message: string(obstacle)}
}

func reportPatient(patient *Patient) *reportedPatient {
	if patient == nil {
		return nil
	}
	return &reportedPatient{
		ID: patient.UserID, FullName: patient.FullName, BirthDate: patient.BirthDate, MRN: patient.MRN, Claimed: patient.Claimed,
	}
}

func (p *Plan) reportPatient(plan *PatientPlan) reportedPatientPlan {
	n := p.Names(plan)
	reported := reportedPatientPlan{
		PatientAction: plan.Action, SourceTagNames: n.SourceTags, TargetTagNames: n.TargetTags, SourceSiteNames: n.SourceSites,
		RenamedSiteNames: n.MergedSites, TargetSiteNames: n.TargetSites, PostMigrationTagNames: n.AfterTags, PostMigrationSiteNames: n.AfterSites,
		PostMigrationMRNUniqueness: plan.UniqueMRN, CanExecuteAction: plan.Obstacle == "", Error: reportError(plan.Obstacle),
	}
	if !plan.FromSource {
		reported.TargetPatient = reportPatient(plan.Patient)
		return reported
	}
	reported.SourcePatient, reported.TargetPatient = reportPatient(plan.Patient), reportPatient(plan.Into)
	reported.Conflicts = map[Category][]reportedPatient{}
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
