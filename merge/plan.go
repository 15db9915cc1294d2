package merge

import (
	"slices"
	"time"
)

// Action says what becomes of a tag, a site, a member or a patient. COMPAT: other services read the values.
type Action string

// The actions. Which ones are possible depends on the kind of record.
const (
	Create    Action = "CREATE"     // the target gets a new one
	Skip      Action = "SKIP"       // the target has it already
	Rename    Action = "RENAME"     // goes to the target under another name
	Move      Action = "MOVE"       // goes to the target
	Merge     Action = "MERGE"      // is merged into a record of the target, and goes
	MergeInto Action = "MERGE_INTO" // takes in a record of the source, and stays
	Retain    Action = "RETAIN"     // stays as it is
)

// Plan says what becomes of everything in two clinics when one is merged into the other.
type Plan struct {
	Source, Target *Workspace
	CreatedTime    time.Time

	Settings     []settingPlan
	Restrictions restrictionsPlan
	Tags         []TagPlan
	Sites        []sitePlan
	Members      []MemberPlan
	Patients     []PatientPlan

	tagObstacle Obstacle
	// tagNames and siteNames are the names that tags and sites have after the merge, by the ids that they had before.
	tagNames  names
	siteNames names
	matcher   *matcher
}

// NewPlan returns the plan for merging the source into the target. It reads nothing but what it is given, and the same
// input leads to the same plan.
func NewPlan(source, target *Workspace, now time.Time) *Plan {
	p := &Plan{Source: source, Target: target, CreatedTime: now, matcher: newMatcher(target.Patients)}
	p.planSettings()
	p.planTags()
	p.planSites()
	p.planMembers()
	p.planPatients()
	return p
}

// bothNames returns the names of both clinics, sorted.
func (p *Plan) bothNames() []string {
	both := []string{p.Source.Name(), p.Target.Name()}
	slices.Sort(both)
	return both
}
