package merge

import (
	"crypto/sha256"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

// Kind says what a plan document is about. COMPAT: other services read the values.
type Kind string

// The kinds of plan documents.
const (
	KindTag     Kind = "tag"
	KindSite    Kind = "site"
	KindMember  Kind = "clinician"
	KindPatient Kind = "patient"
	KindClinic  Kind = "clinic" // closes a merge: it is there when all is done
)

// documentID returns the id of the plan document about a record. A repeated step so finds its document instead of making
// a second one, which would send mails again.
func documentID(planID bson.ObjectID, kind Kind, record bson.ObjectID) bson.ObjectID {
	sum := sha256.New()
	sum.Write([]byte("merge plan "))
	sum.Write(planID[:])
	sum.Write([]byte(kind))
	sum.Write(record[:])
	return bson.ObjectID(sum.Sum(nil)[:12])
}

func (t *TagPlan) document() bson.D {
	return bson.D{
		{Key: "name", Value: t.Name},
		{Key: "tagAction", Value: t.Action},
		{Key: "workspaces", Value: t.Workspaces},
		{Key: "merge", Value: t.Merge},
		{Key: "sourceClinicId", Value: t.SourceID},
		{Key: "targetClinicId", Value: t.TargetID},
	}
}

func (s *sitePlan) document() bson.D {
	site := bson.D{{Key: "id", Value: s.Site.ID}, {Key: "name", Value: s.Site.Name}}
	return bson.D{
		{Key: "site", Value: withCount(site, s.Patients)},
		{Key: "siteAction", Value: s.Action},
		{Key: "workspace", Value: s.Workspace},
		{Key: "expectedRename", Value: s.NewName},
		{Key: "sourceClinicId", Value: s.SourceID},
		{Key: "targetClinicId", Value: s.TargetID},
	}
}

func (p *Plan) memberDocument(m *MemberPlan) bson.D {
	roles := m.ResultingRoles
	if roles == nil {
		roles = []string{}
	}
	return bson.D{
		{Key: "clinician", Value: m.Member.Document},
		{Key: "clinicianAction", Value: m.Action},
		{Key: "downgraded", Value: m.Downgraded},
		{Key: "resultingRoles", Value: roles},
		{Key: "workspaces", Value: m.Workspaces},
		{Key: "sourceClinicName", Value: p.Source.Name()},
		{Key: "targetClinicName", Value: p.Target.Name()},
		{Key: "error", Value: nil},
	}
}

// patientDocument needs the stored patients that documentsOf names, without their summaries.
func (p *Plan) patientDocument(plan *PatientPlan, stored map[bson.ObjectID]bson.Raw) bson.D {
	var source, target, conflicts any
	switch {
	case !plan.FromSource:
		target = stored[plan.Patient.ID]
	default:
		source, conflicts = stored[plan.Patient.ID], p.conflicts(plan, stored)
		if plan.Into != nil {
			target = stored[plan.Into.ID]
		}
	}
	n := p.Names(plan)
	return bson.D{
		{Key: "sourceClinicId", Value: p.Source.Clinic.ID},
		{Key: "targetClinicId", Value: p.Target.Clinic.ID},
		{Key: "sourceClinicName", Value: p.Source.Name()},
		{Key: "targetClinicName", Value: p.Target.Name()},
		{Key: "sourcePatient", Value: source},
		{Key: "targetPatient", Value: target},
		{Key: "conflicts", Value: conflicts},
		{Key: "patientAction", Value: plan.Action},
		{Key: "sourceTagNames", Value: n.SourceTags},
		{Key: "targetTagNames", Value: n.TargetTags},
		{Key: "sourceSiteNames", Value: n.SourceSites},
		{Key: "mergedSiteNames", Value: n.MergedSites},
		{Key: "targetSiteNames", Value: n.TargetSites},
		{Key: "postMigrationTagNames", Value: n.AfterTags},
		{Key: "postMigrationSiteNames", Value: n.AfterSites},
		{Key: "postMigrationMRNUniqueness", Value: plan.UniqueMRN},
		{Key: "canExecuteAction", Value: true},
		{Key: "error", Value: nil},
	}
}

// documentsOf returns the ids of the stored patients that the document of the plan repeats.
func (p *Plan) documentsOf(plan *PatientPlan) []bson.ObjectID {
	ids := []bson.ObjectID{plan.Patient.ID}
	if plan.Into != nil {
		ids = append(ids, plan.Into.ID)
	}
	for _, match := range p.Matches(plan) {
		ids = append(ids, p.Target.Patients[match.Index].ID)
	}
	return ids
}

func (p *Plan) conflicts(plan *PatientPlan, stored map[bson.ObjectID]bson.Raw) bson.D {
	found := map[Category]bson.A{}
	for _, match := range p.Matches(plan) {
		if document, ok := stored[p.Target.Patients[match.Index].ID]; ok {
			found[match.Category] = append(found[match.Category], bson.D{{Key: "category", Value: match.Category}, {Key: "patient", Value: document}})
		}
	}
	conflicts := bson.D{}
	for _, category := range categories {
		if len(found[category]) > 0 {
			conflicts = append(conflicts, bson.E{Key: string(category), Value: found[category]})
		}
	}
	return conflicts
}

// closingDocument closes the merge, and shows both clinics as they were before it.
func (p *Plan) closingDocument() (bson.Raw, error) {
	source, err := clinicBefore(p.Source)
	if err != nil {
		return nil, err
	}
	target, err := clinicBefore(p.Target)
	if err != nil {
		return nil, err
	}
	return bson.Marshal(bson.D{{Key: "source", Value: source}, {Key: "target", Value: target}, {Key: "createdTime", Value: p.CreatedTime}})
}

// clinicBefore returns the stored clinic with the number of patients of it, its tags and its sites. COMPAT: members that are null
// never were in it.
func clinicBefore(w *Workspace) (bson.D, error) {
	elements, err := w.Document.Elements()
	if err != nil {
		return nil, err
	}
	clinic := make(bson.D, 0, len(elements))
	for _, element := range elements {
		switch key := element.Key(); {
		case element.Value().Type == bson.TypeNull, key == "derived", key == "patientCount":
		case key == "patientTags":
			clinic = append(clinic, bson.E{Key: key, Value: countedTags(w.Clinic)})
		case key == "sites":
			clinic = append(clinic, bson.E{Key: key, Value: countedSites(w.Clinic)})
		default:
			clinic = append(clinic, bson.E{Key: key, Value: element.Value()})
		}
	}
	if w.Clinic.PatientCount != nil { // counted after the document was read, if an older writer left no count
		clinic = append(clinic, bson.E{Key: "patientCount", Value: w.Clinic.PatientCount})
	}
	return clinic, nil
}

func countedTags(c *clinics.Clinic) bson.A {
	tags := make(bson.A, 0, len(c.PatientTags))
	for _, tag := range c.PatientTags {
		tags = append(tags, withCount(bson.D{{Key: "_id", Value: tag.ID}, {Key: "name", Value: tag.Name}}, c.TagCount(tag.ID)))
	}
	return tags
}

func countedSites(c *clinics.Clinic) bson.A {
	sites := make(bson.A, 0, len(c.Sites))
	for _, site := range c.Sites {
		sites = append(sites, withCount(bson.D{{Key: "id", Value: site.ID}, {Key: "name", Value: site.Name}}, c.SiteCount(site.ID)))
	}
	return sites
}

// withCount adds the number of patients, which is left out if there are none.
func withCount(document bson.D, patients int) bson.D {
	if patients > 0 {
		document = append(document, bson.E{Key: "patients", Value: int32(patients)}) //nolint:gosec // a clinic has less than 2^31 patients
	}
	return document
}
