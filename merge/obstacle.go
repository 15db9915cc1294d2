package merge

// Obstacle says why a merge cannot be carried out, in words for the reader of the report. "" is none.
type Obstacle string

// The obstacles, in the order in which the report names them. COMPAT: the texts up to DuplicateMRNInTarget are quoted in
// instructions for operators.
const (
	SettingsMismatch     Obstacle = "Settings mismatch"
	PendingInvite        Obstacle = "Pending invites in source workspace"
	RestrictedMembers    Obstacle = "The partial SSO settings of the target clinic prevent moving source clinicians to target clinic. All source members which are not already members of the target clinic should be removed from the source clinic."
	MRNRequired          Obstacle = "Target workspace requires MRNs"
	DuplicateMRNInSource Obstacle = "MRN uniqueness error(s) for duplicate accounts. View error(s) on the 'Duplicates in Source Clinic' tab"
	DuplicateMRNInTarget Obstacle = "MRN uniqueness error(s) for duplicate accounts. View error(s) on the 'Duplicates in Merged Workspace' tab"
	TooManyTags          Obstacle = "The merged workspace would have more than 50 tags"
	DuplicateMemberEmail Obstacle = "A member of the source workspace has the e-mail address of another member or invite of the target workspace"
	SourceIsTarget       Obstacle = "Source and target are the same workspace"
)

var obstacles = []Obstacle{
	SettingsMismatch, PendingInvite, RestrictedMembers, MRNRequired, DuplicateMRNInSource, DuplicateMRNInTarget,
	TooManyTags, DuplicateMemberEmail, SourceIsTarget,
}

// Obstacles returns why the plan cannot be carried out, each reason once. A plan without obstacles will be.
func (p *Plan) Obstacles() []Obstacle {
	met := map[Obstacle]bool{p.Restrictions.Obstacle: true, p.tagObstacle: true}
	for _, setting := range p.Settings {
		met[setting.Obstacle] = true
	}
	for i := range p.Members {
		met[p.Members[i].Obstacle] = true
	}
	for i := range p.Patients {
		met[p.Patients[i].Obstacle] = true
	}
	if p.Source.Clinic.ID == p.Target.Clinic.ID {
		met[SourceIsTarget] = true
	}
	var found []Obstacle
	for _, obstacle := range obstacles {
		if met[obstacle] {
			found = append(found, obstacle)
		}
	}
	return found
}
