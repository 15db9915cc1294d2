package merge

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
)

// TagPlan says what becomes of a tag of one of the clinics.
type TagPlan struct {
	ID         bson.ObjectID // in the clinic that has it
	Name       string
	Action     Action
	Workspaces []string
	Merge      bool           // a tag of the target that the source has, too
	SourceID   *bson.ObjectID // nil for a tag that the source has not
	TargetID   bson.ObjectID
}

// names are names by the ids of what has them.
type names map[bson.ObjectID]string

func (p *Plan) planTags() {
	p.tagNames = names{}
	after := map[string]string{} // the names after the merge, by what equal names have in common
	for _, tag := range p.Target.Clinic.PatientTags {
		if _, ok := after[clinics.TagNameKey(tag.Name)]; !ok {
			after[clinics.TagNameKey(tag.Name)] = tag.Name
		}
		p.tagNames[tag.ID] = tag.Name
	}
	inSource := map[string]bool{}
	for _, tag := range p.Source.Clinic.PatientTags {
		p.Tags = append(p.Tags, p.planSourceTag(tag, after))
		inSource[clinics.TagNameKey(tag.Name)] = true
	}
	for _, tag := range p.Target.Clinic.PatientTags {
		p.Tags = append(p.Tags, p.planTargetTag(tag, inSource[clinics.TagNameKey(tag.Name)]))
	}
	p.limitTags()
}

func (p *Plan) planSourceTag(tag clinics.PatientTag, after map[string]string) TagPlan {
	plan := TagPlan{
		ID: tag.ID, Name: tag.Name, Action: Skip, Workspaces: p.bothNames(), SourceID: &p.Source.Clinic.ID, TargetID: p.Target.Clinic.ID,
	}
	key := clinics.TagNameKey(tag.Name)
	if _, ok := after[key]; !ok {
		plan.Action, plan.Workspaces = Create, []string{p.Source.Name()}
		after[key] = strings.TrimSpace(tag.Name)
	}
	p.tagNames[tag.ID] = after[key]
	return plan
}

func (p *Plan) planTargetTag(tag clinics.PatientTag, inSource bool) TagPlan {
	plan := TagPlan{ID: tag.ID, Name: tag.Name, Action: Retain, Workspaces: []string{p.Target.Name()}, TargetID: p.Target.Clinic.ID}
	if inSource {
		plan.Workspaces, plan.Merge, plan.SourceID = p.bothNames(), true, &p.Source.Clinic.ID
	}
	return plan
}

func (p *Plan) limitTags() {
	created := countActions(p.Tags, func(t TagPlan) Action { return t.Action }, Create)
	if created > 0 && created+len(p.Target.Clinic.PatientTags) > clinics.MaxTags {
		p.tagObstacle = TooManyTags
	}
}

func countActions[T any](plans []T, action func(T) Action, wanted Action) int {
	n := 0
	for _, plan := range plans {
		if action(plan) == wanted {
			n++
		}
	}
	return n
}
