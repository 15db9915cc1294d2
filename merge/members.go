package merge

import "github.com/tidepool-org/clinic/clinicians"

// MemberPlan says what becomes of a member or of a pending invite.
type MemberPlan struct {
	Member         *Member
	Action         Action
	Into           *Member // the record of the target that a Merge merges this one into; nil for other actions
	ResultingRoles []string
	Downgraded     bool // an admin of the source who is not one of the target
	Workspaces     []string
	Obstacle       Obstacle
}

func (p *Plan) planMembers() {
	inSource, inTarget := membersByUser(p.Source.Members), membersByUser(p.Target.Members)
	addresses := map[string]bool{}
	for i := range p.Target.Members {
		if email := p.Target.Members[i].Email; email != nil {
			addresses[*email] = true
		}
	}
	for i := range p.Source.Members {
		member := &p.Source.Members[i]
		p.Members = append(p.Members, p.planSourceMember(member, member.in(inTarget), addresses))
	}
	for i := range p.Target.Members {
		member := &p.Target.Members[i]
		plan := MemberPlan{Member: member, Action: Retain, ResultingRoles: member.Roles, Workspaces: []string{p.Target.Name()}}
		if member.in(inSource) != nil {
			plan.Action, plan.Workspaces = MergeInto, p.bothNames()
		}
		p.Members = append(p.Members, plan)
	}
}

func (p *Plan) planSourceMember(member, match *Member, addresses map[string]bool) MemberPlan {
	if match != nil {
		return MemberPlan{
			Member: member, Action: Merge, Into: match, ResultingRoles: match.Roles, Workspaces: p.bothNames(),
			Downgraded: member.HasRole(clinicians.RoleAdmin) && !match.HasRole(clinicians.RoleAdmin),
		}
	}
	plan := MemberPlan{Member: member, Action: Move, ResultingRoles: member.Roles, Workspaces: []string{p.Source.Name()}}
	switch {
	case member.isInvite():
		plan.Obstacle = PendingInvite
	case len(p.Target.Clinic.MembershipRestrictions) > 0:
		plan.Obstacle = RestrictedMembers
	case member.Email != nil && addresses[*member.Email]:
		plan.Obstacle = DuplicateMemberEmail
	}
	return plan
}

func membersByUser(members []Member) map[string]*Member {
	byUser := make(map[string]*Member, len(members))
	for i := range members {
		if !members[i].isInvite() {
			byUser[*members[i].UserID] = &members[i]
		}
	}
	return byUser
}

// in returns the record of the same user, or nil.
func (m *Member) in(byUser map[string]*Member) *Member {
	if m.isInvite() {
		return nil
	}
	return byUser[*m.UserID]
}
