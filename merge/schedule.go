package merge

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/patients"
)

// writeSteps writes down the steps of the plan. When the rest of a merge is planned, only what is left in the source counts.
func (s *Service) writeSteps(ctx context.Context, merge *openMerge, p *Plan) error {
	if err := s.discardSteps(ctx, merge); err != nil {
		return err
	}
	w := &stepWriter{service: s, merge: merge, plan: p}
	for _, write := range []func(context.Context) error{w.tags, w.patients, w.sites, w.members} {
		if err := write(ctx); err != nil {
			return err
		}
	}
	return nil
}

// newTags returns the tags that the target is to get, with the ids that they will have.
func (p *Plan) newTags() []clinics.PatientTag {
	tags := []clinics.PatientTag{}
	for _, plan := range p.Tags {
		if plan.Action == Create {
			tags = append(tags, clinics.PatientTag{ID: bson.NewObjectID(), Name: p.tagNames[plan.ID]})
		}
	}
	return tags
}

// newSites returns the sites that the target is to get.
func (p *Plan) newSites() []clinics.Site {
	sites := []clinics.Site{}
	for _, plan := range p.Sites {
		if plan.Action != Retain {
			sites = append(sites, clinics.Site{ID: plan.Site.ID, Name: plan.ResultingName()})
		}
	}
	return sites
}

// stepWriter writes steps in order.
type stepWriter struct {
	service *Service
	merge   *openMerge
	plan    *Plan
	order   int
	steps   []step
}

// add completes a step with the plan document and keeps it for the next flush.
func (w *stepWriter) add(next step, document bson.D) error {
	plan, err := bson.Marshal(document)
	if err != nil {
		return err
	}
	w.order++
	next.ID, next.MergeID, next.Order = documentID(w.merge.ID, next.Kind, next.Record), w.merge.ID, w.order
	next.Plan = plan
	w.steps = append(w.steps, next)
	return nil
}

func (w *stepWriter) flush(ctx context.Context) error {
	err := w.service.insertSteps(ctx, w.steps)
	w.steps = w.steps[:0]
	return err
}

func (w *stepWriter) tags(ctx context.Context) error {
	for i := range w.plan.Tags {
		tag := &w.plan.Tags[i]
		if w.merge.Replanned && tag.Action == Retain {
			continue
		}
		if err := w.add(step{Kind: KindTag, Action: tag.Action, Record: tag.ID}, tag.document()); err != nil {
			return err
		}
	}
	return w.flush(ctx)
}

func (w *stepWriter) sites(ctx context.Context) error {
	for i := range w.plan.Sites {
		site := &w.plan.Sites[i]
		if w.merge.Replanned && site.Action == Retain {
			continue
		}
		if err := w.add(step{Kind: KindSite, Action: site.Action, Record: site.Site.ID, Name: site.Site.Name}, site.document()); err != nil {
			return err
		}
	}
	return w.flush(ctx)
}

func (w *stepWriter) members(ctx context.Context) error {
	for i := range w.plan.Members {
		member := &w.plan.Members[i]
		if w.merge.Replanned && (member.Action == Retain || member.Action == MergeInto) {
			continue
		}
		next := step{
			Kind: KindMember, Action: member.Action, Record: member.Member.ID, UserID: valueOf(member.Member.UserID),
			Admin: member.Action == Move && member.Member.HasRole(clinicians.RoleAdmin),
		}
		if member.Into != nil {
			next.Into = member.Into.ID
		}
		if err := w.add(next, w.plan.memberDocument(member)); err != nil {
			return err
		}
		if len(w.steps) == stepBatch {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
	}
	return w.flush(ctx)
}

// patients takes so many plans at once that the stored patients which their documents repeat are not too many.
func (w *stepWriter) patients(ctx context.Context) error {
	const most = 2 * stepBatch
	var plans []*PatientPlan
	var ids []bson.ObjectID
	for i := range w.plan.Patients {
		plan := &w.plan.Patients[i]
		if !w.merge.Replanned || plan.FromSource {
			plans, ids = append(plans, plan), append(ids, w.plan.documentsOf(plan)...)
		}
		if len(ids) >= most || len(plans) == stepBatch || i == len(w.plan.Patients)-1 {
			if err := w.patientBatch(ctx, plans, ids); err != nil {
				return err
			}
			plans, ids = plans[:0], ids[:0]
		}
	}
	return nil
}

func (w *stepWriter) patientBatch(ctx context.Context, plans []*PatientPlan, ids []bson.ObjectID) error {
	if len(plans) == 0 {
		return nil
	}
	stored, err := w.service.storedPatients(ctx, ids)
	if err != nil {
		return err
	}
	for _, plan := range plans {
		if stored[plan.Patient.ID] == nil || (plan.Into != nil && stored[plan.Into.ID] == nil) {
			continue // removed since the plan was made; the source is looked at again when all steps are done
		}
		if err := w.add(w.patientStep(plan), w.plan.patientDocument(plan, stored)); err != nil {
			return err
		}
	}
	return w.flush(ctx)
}

func (w *stepWriter) patientStep(plan *PatientPlan) step {
	next := step{Kind: KindPatient, Action: plan.Action, Record: plan.Patient.ID, UserID: plan.Patient.UserID, Unique: plan.UniqueMRN}
	if plan.FromSource {
		next.Tags = w.plan.Names(plan).AfterTags
	}
	if plan.Action == Move {
		next.Sites = w.plan.renamedSites(plan.Patient.Sites)
	}
	if plan.Into != nil {
		next.Into = plan.Into.ID
		next.Sites = missingSites(plan.Patient.Sites, plan.Into.Sites)
	}
	return next
}

// renamedSites returns those of the sites that have another name after the merge.
func (p *Plan) renamedSites(sites patients.Sites) []patients.Site {
	var renamed []patients.Site
	for _, site := range sites {
		if name, ok := p.siteNames[site.ID]; ok && name != site.Name {
			renamed = append(renamed, patients.Site{ID: site.ID, Name: site.Name})
		}
	}
	return renamed
}

// missingSites returns those of the wanted sites that are not there yet.
func missingSites(wanted, there patients.Sites) []patients.Site {
	known := map[bson.ObjectID]bool{}
	for _, site := range there {
		known[site.ID] = true
	}
	var missing []patients.Site
	for _, site := range wanted {
		if !known[site.ID] {
			missing = append(missing, patients.Site{ID: site.ID, Name: site.Name})
			known[site.ID] = true
		}
	}
	return missing
}
