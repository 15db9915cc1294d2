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
	verdict := styled(allows, "Can execute merge plan?", "Yes")
	if found := p.Obstacles(); len(found) > 0 {
		texts := make([]string, 0, len(found))
		for _, obstacle := range found {
			texts = append(texts, string(obstacle))
		}
		verdict = styled(blocks, "Can execute merge plan?", "No", "No. "+strings.Join(texts, "; "))
	}
	return []row{
		styled(title, "SUMMARY"), {},
		cells("Report Generated", generated.Format(reportTime)), {},
		cells("Merging from Workspace 1 (Source)", p.Source.Name()),
		cells("Merging to Workspace 2 (Target)", p.Target.Name()),
		verdict, {},
	}
}

func (p *Plan) settingRows() []row {
	sso := settingPlan{
		Name: "Partial SSO*", SourceValue: p.Restrictions.SourceValue, TargetValue: p.Restrictions.TargetValue, Obstacle: p.Restrictions.Obstacle,
	}
	rows := []row{styled(heading, "Settings ---", "Do they match? ---", p.Source.Name()+" ---", p.Target.Name()+" ---")}
	for _, setting := range append([]settingPlan{sso}, p.Settings...) {
		rows = append(rows, styled(unless(setting.Obstacle, plain), setting.Name, choose(setting.Match(), "Yes", "No"), setting.SourceValue, setting.TargetValue))
	}
	return append(rows, cells("* If only the target workspace has partial SSO, invite the users of the source workspace to the target workspace by hand before merging."), row{})
}

func (p *Plan) measureRows() []row {
	categoryCounts := p.conflictCounts()
	tag := func(t TagPlan) Action { return t.Action }
	site := func(s sitePlan) Action { return s.Action }
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
		styled(heading, "Measures ---", "Count ---"),
		cells("Resulting Members & Admins", members),
		cells("- Members downgraded from Admin", downgraded),
		cells("Resulting Tags", countActions(p.Tags, tag, Create)+countActions(p.Tags, tag, Retain)),
		cells("- Duplicate tags that will be merged", countActions(p.Tags, tag, Skip)),
		cells("Resulting Sites", len(p.Sites)),
		cells("- Duplicate sites that will be renamed", countActions(p.Sites, site, Rename)),
		cells("Resulting Patient Accounts", p.patientsAfter()),
		cells("- Duplicate Accounts", categoryCounts[Duplicate]),
		cells("- Likely Duplicate Accounts", categoryCounts[LikelyDuplicate]),
		cells("- Duplicate MRN Only", categoryCounts[SameMRN]),
		cells("- Duplicate Name Only", categoryCounts[SameName]),
		{},
	}
}

// conflictCounts returns the number of pairs of a patient of the source and one of the target, by category.
func (p *Plan) conflictCounts() map[Category]int {
	counts := map[Category]int{}
	for i := range p.Patients {
		for category, n := range p.MatchCounts(&p.Patients[i]) {
			counts[category] += n
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
		member := styled(unless(plan.Obstacle, combinedIf(plan.Action == Merge)), text(valueOf(plan.Member.Name)), list(plan.Workspaces), text(valueOf(plan.Member.Email)))
		switch {
		case plan.Action == MergeInto: // the row of the other record speaks for both
		case slices.Contains(plan.ResultingRoles, clinicians.RoleAdmin):
			admins = append(admins, member)
		case plan.Downgraded:
			member.cells = append(member.cells, "Yes")
			members = append(members, member)
		default:
			members = append(members, member)
		}
	}
	return slices.Concat(
		[]row{styled(heading, fmt.Sprintf("Resulting Admins (%d)", len(admins)), "Workspace ---", "Email ---")}, admins,
		[]row{{}, styled(
			heading, fmt.Sprintf("Resulting Members (%d)", len(members)), "Workspace ---", "Email ---",
			"Downgrade (Only if the person is an Admin at Workspace 1 but a Member at Workspace 2) ----",
		)}, members,
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
			rows = append(rows, styled(choose(workspace == p.Source, blocks, plain), n, workspace.Name()))
		}
		total += n
	}
	return slices.Concat([]row{styled(heading, fmt.Sprintf("Pending Invites (%d)", total), "Workspace ---")}, rows, []row{{}})
}

func (p *Plan) tagRows() []row {
	var rows []row
	for _, tag := range p.Tags {
		if tag.Action == Skip {
			continue
		}
		next := styled(combinedIf(tag.Merge), tag.Name, list(tag.Workspaces))
		if tag.Merge {
			next.cells = append(next.cells, "Yes")
		}
		rows = append(rows, next)
	}
	return slices.Concat([]row{
		styled(unless(p.tagObstacle, heading), fmt.Sprintf("Resulting Tags (%d) ---", len(rows)), "Workspace ---", "Merge ---"),
	}, rows, []row{{}})
}

// siteActions are what the report calls what becomes of a site.
var siteActions = map[Action]string{Move: "Create", Rename: "Rename", Retain: "Retain"}

func (p *Plan) siteRows() []row {
	sites := slices.Clone(p.Sites)
	slices.SortStableFunc(sites, func(a, b sitePlan) int {
		return strings.Compare(strings.ToLower(a.ResultingName()), strings.ToLower(b.ResultingName()))
	})
	rows := []row{styled(heading, fmt.Sprintf("Resulting Sites (%d) ---", len(sites)), "Workspace ---", "Action ---")}
	for _, site := range sites {
		rows = append(rows, cells(site.ResultingName(), site.Workspace, siteActions[site.Action]))
	}
	return append(rows, row{})
}

// unless returns the style of what blocks the merge, or the other one if there is no obstacle.
func unless(obstacle Obstacle, other style) style { return choose(obstacle != "", blocks, other) }

func combinedIf(condition bool) style { return choose(condition, combined, plain) }
