package merge

import (
	"slices"

	"github.com/tidepool-org/clinic/patients"
)

// PatientNames are the names of the tags and sites of a patient, sorted. A nil list means that the patient has none, or
// that the list does not apply to what becomes of the patient.
type PatientNames struct {
	SourceTags  []string
	TargetTags  []string
	AfterTags   []string
	SourceSites []string
	MergedSites []string // the sites of the source by the names that they have after the merge
	TargetSites []string
	AfterSites  []string
}

// Names returns the names of tags and sites before and after the merge.
func (p *Plan) Names(plan *PatientPlan) PatientNames {
	var n PatientNames
	if !plan.FromSource {
		n.TargetTags, n.TargetSites = p.tagsOf(plan.Patient, p.Target), siteNames(plan.Patient.Sites)
		return n
	}
	n.SourceTags, n.SourceSites = p.tagsOf(plan.Patient, p.Source), siteNames(plan.Patient.Sites)
	n.MergedSites = p.sitesAfter(plan.Patient.Sites)
	if plan.Action == Move {
		n.AfterTags, n.AfterSites = p.tagsAfter(plan.Patient), n.MergedSites
		return n
	}
	n.TargetTags, n.TargetSites = p.tagsOf(plan.Into, p.Target), siteNames(plan.Into.Sites)
	n.AfterTags = append(append([]string{}, p.tagsAfter(plan.Patient)...), p.tagsAfter(plan.Into)...)
	slices.Sort(n.AfterTags)
	n.AfterTags = slices.Compact(n.AfterTags)
	n.AfterSites = append(append([]string{}, n.MergedSites...), p.sitesAfter(plan.Into.Sites)...)
	slices.Sort(n.AfterSites)
	return n
}

// tagsOf returns the names of the tags of a patient in its own clinic. Tags that the clinic has no more are left out.
func (p *Plan) tagsOf(patient *Patient, workspace *Workspace) []string {
	var found []string
	for _, id := range patient.Tags {
		for _, tag := range workspace.Clinic.PatientTags {
			if tag.ID == id {
				found = append(found, tag.Name)
				break
			}
		}
	}
	slices.Sort(found)
	return found
}

func (p *Plan) tagsAfter(patient *Patient) []string {
	var found []string
	for _, id := range patient.Tags {
		if name, ok := p.tagNames[id]; ok {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func siteNames(sites []patients.Site) []string {
	var found []string
	for _, site := range sites {
		found = append(found, site.Name)
	}
	slices.Sort(found)
	return found
}

// sitesAfter returns the names that the sites have in the target after the merge. A site that its clinic has no more
// keeps its name.
func (p *Plan) sitesAfter(sites []patients.Site) []string {
	var found []string
	for _, site := range sites {
		name, ok := p.siteNames[site.ID]
		if !ok {
			name = site.Name
		}
		found = append(found, name)
	}
	slices.Sort(found)
	return found
}
