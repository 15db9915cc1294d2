package merge

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

// sitePlan says what becomes of a site of one of the clinics. Sites keep their ids.
type sitePlan struct {
	Site      clinics.Site
	Patients  int // that belong to the site before the merge
	Action    Action
	Workspace string         // name of the clinic that has it
	NewName   string         // "" if the site keeps its name
	SourceID  *bson.ObjectID // nil for a site of the target
	TargetID  bson.ObjectID
}

// ResultingName returns the name of the site after the merge.
func (s sitePlan) ResultingName() string {
	if s.NewName != "" {
		return s.NewName
	}
	return s.Site.Name
}

func (p *Plan) planSites() {
	p.siteNames = names{}
	var taken []string
	for _, site := range p.Target.Clinic.Sites {
		p.siteNames[site.ID] = site.Name
		taken = append(taken, site.Name)
	}
	arrived := map[bson.ObjectID]bool{}
	for _, site := range p.Source.Clinic.Sites {
		plan := p.planSourceSite(site, taken)
		arrived[site.ID] = true
		p.siteNames[site.ID] = plan.ResultingName()
		taken = append(taken, plan.ResultingName())
		p.Sites = append(p.Sites, plan)
	}
	for _, site := range p.Target.Clinic.Sites {
		if arrived[site.ID] { // when the rest of a merge that was under way is planned
			continue
		}
		p.Sites = append(p.Sites, sitePlan{
			Site: site, Patients: p.Target.Clinic.SiteCount(site.ID), Action: Retain, Workspace: p.Target.Name(), TargetID: p.Target.Clinic.ID,
		})
	}
}

func (p *Plan) planSourceSite(site clinics.Site, taken []string) sitePlan {
	plan := sitePlan{
		Site: site, Patients: p.Source.Clinic.SiteCount(site.ID), Action: Move, Workspace: p.Source.Name(),
		SourceID: &p.Source.Clinic.ID, TargetID: p.Target.Clinic.ID,
	}
	name, arrived := p.siteNames[site.ID]
	if !arrived {
		name = freeSiteName(site.Name, taken)
	}
	if name != site.Name {
		plan.Action, plan.NewName = Rename, name
	}
	return plan
}

func freeSiteName(name string, taken []string) string {
	return clinics.FreeSiteName(name, func(name string) bool {
		return slices.ContainsFunc(taken, func(other string) bool { return clinics.SameSiteName(name, other) })
	})
}
