package merge

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tidepool-org/clinic/clinicians"
)

// reportTime is how the summary shows when it was made.
const reportTime = "January _2 2006 15:04:05 MST"

func (p *Plan) summaryRows(generated time.Time) iter.Seq[row] {
	return slices.Values(slices.Concat(
		p.headRows(generated), p.settingRows(), p.measureRows(), p.memberRows(), p.inviteRows(), p.tagRows(), p.siteRows(),
	))
}

func (p *Plan) headRows(generated time.Time) []row {
	verdict := row{"Can execute merge plan?", "Yes"}
	if found := p.Obstacles(); len(found) > 0 {
		texts := make([]string, 0, len(found))
		for _, obstacle := range found {
			texts = append(texts, string(obstacle))
		}
		verdict = row{"Can execute merge plan?", "No", "No. " + strings.Join(texts, "; ")}
	}
	return []row{
		{"SUMMARY"}, {},
		{"Report Generated", generated.Format(reportTime)}, {},
		{"Merging from Workspace 1 (Source)", p.Source.Name()},
		{"Merging to Workspace 2 (Target)", p.Target.Name()},
		verdict, {},
	}
}

func (p *Plan) settingRows() []row {
	sso := SettingPlan{Name: "Partial SSO*", SourceValue: p.Restrictions.SourceValue, TargetValue: p.Restrictions.TargetValue}
	rows := []row{{"Settings ---", "Do they match? ---", p.Source.Name() + " ---", p.Target.Name() + " ---"}}
	for _, setting := range append([]SettingPlan{sso}, p.Settings...) {
		rows = append(rows, row{setting.Name, choose(setting.Match(), "Yes", "No"), setting.SourceValue, setting.TargetValue})
	}
	return append(rows, row{"* If only the target workspace has partial SSO, invite the users of the source workspace to the target workspace by hand before merging."}, row{})
}

func (p *Plan) measureRows() []row {
	categoryCounts := p.conflictCounts()
	tag := func(t TagPlan) Action { return t.Action }
	site := func(s SitePlan) Action { return s.Action }
	members, downgraded := 0, 0
	for i := range p.Members {
		if p.Members[i].Action != MergeInto {
			members++
		}
		if p.Members[i].Downgraded {
			downgraded++
		}
	}
	return []row{
		{"Measures ---", "Count ---"},
		{"Resulting Members & Admins", members},
		{"- Members downgraded from Admin", downgraded},
		{"Resulting Tags", countActions(p.Tags, tag, Create) + countActions(p.Tags, tag, Retain)},
		{"- Duplicate tags that will be merged", countActions(p.Tags, tag, Skip)},
		{"Resulting Sites", len(p.Sites)},
		{"- Duplicate sites that will be renamed", countActions(p.Sites, site, Rename)},
		{"Resulting Patient Accounts", p.patientsAfter()},
		{"- Duplicate Accounts", categoryCounts[Duplicate]},
		{"- Likely Duplicate Accounts", categoryCounts[LikelyDuplicate]},
		{"- Duplicate MRN Only", categoryCounts[SameMRN]},
		{"- Duplicate Name Only", categoryCounts[SameName]},
		{},
	}
}

// conflictCounts returns the number of pairs of a patient of the source and one of the target, by category.
func (p *Plan) conflictCounts() map[Category]int {
	counts := map[Category]int{}
	for i := range p.Patients {
		for _, match := range p.Matches(&p.Patients[i]) {
			counts[match.Category]++
		}
	}
	return counts
}

// patientsAfter returns how many patients the target has after the merge, without the demo patient.
func (p *Plan) patientsAfter() int {
	return len(p.Patients) - countActions(p.Patients, func(p PatientPlan) Action { return p.Action }, MergeInto)
}

func (p *Plan) memberRows() []row {
	var admins, members []row
	for i := range p.Members {
		plan := &p.Members[i]
		cells := row{text(valueOf(plan.Member.Name)), list(plan.Workspaces), text(valueOf(plan.Member.Email))}
		switch {
		case plan.Action == MergeInto: // the row of the other record speaks for both
		case slices.Contains(plan.ResultingRoles, clinicians.RoleAdmin):
			admins = append(admins, cells)
		case plan.Downgraded:
			members = append(members, append(cells, "Yes"))
		default:
			members = append(members, cells)
		}
	}
	return slices.Concat(
		[]row{{fmt.Sprintf("Resulting Admins (%d)", len(admins)), "Workspace ---", "Email ---"}}, admins,
		[]row{{}, {
			fmt.Sprintf("Resulting Members (%d)", len(members)), "Workspace ---", "Email ---",
			"Downgrade (Only if the person is an Admin at Workspace 1 but a Member at Workspace 2) ----",
		}}, members,
		[]row{{}},
	)
}

func (p *Plan) inviteRows() []row {
	var rows []row
	total := 0
	for _, workspace := range []*Workspace{p.Source, p.Target} {
		n := 0
		for i := range workspace.Members {
			if workspace.Members[i].isInvite() {
				n++
			}
		}
		if n > 0 {
			rows = append(rows, row{n, workspace.Name()})
		}
		total += n
	}
	return slices.Concat([]row{{fmt.Sprintf("Pending Invites (%d)", total), "Workspace ---"}}, rows, []row{{}})
}

func (p *Plan) tagRows() []row {
	var rows []row
	for _, tag := range p.Tags {
		if tag.Action == Skip {
			continue
		}
		cells := row{tag.Name, list(tag.Workspaces)}
		if tag.Merge {
			cells = append(cells, "Yes")
		}
		rows = append(rows, cells)
	}
	return slices.Concat([]row{{fmt.Sprintf("Resulting Tags (%d) ---", len(rows)), "Workspace ---", "Merge ---"}}, rows, []row{{}})
}

// siteActions are what the report calls what becomes of a site.
var siteActions = map[Action]string{Move: "Create", Rename: "Rename", Retain: "Retain"}

func (p *Plan) siteRows() []row {
	sites := slices.Clone(p.Sites)
	slices.SortStableFunc(sites, func(a, b SitePlan) int {
		return strings.Compare(strings.ToLower(a.ResultingName()), strings.ToLower(b.ResultingName()))
	})
	rows := []row{{fmt.Sprintf("Resulting Sites (%d) ---", len(sites)), "Workspace ---", "Action ---"}}
	for _, site := range sites {
		rows = append(rows, row{site.ResultingName(), site.Workspace, siteActions[site.Action]})
	}
	return append(rows, row{})
}
