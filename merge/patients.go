package merge

// PatientPlan says what becomes of a patient.
type PatientPlan struct {
	Patient *Patient
	// FromSource tells the patients of the source from those of the target.
	FromSource bool
	Action     Action
	Into       *Patient // the record of the target that a Merge merges this one into; nil for other actions
	UniqueMRN  bool     // whether the MRN of a moved patient has to be unique from then on
	Obstacle   Obstacle
}

func (p *Plan) planPatients() {
	p.Patients = make([]PatientPlan, 0, len(p.Source.Patients)+len(p.Target.Patients))
	merged := make(map[int]bool)
	shared := repeatedMRNs(p.Source.Patients)
	for i := range p.Source.Patients {
		patient := &p.Source.Patients[i]
		plan := PatientPlan{Patient: patient, FromSource: true, Action: Move}
		if match := p.matcher.duplicate(patient); match >= 0 {
			plan.Action, plan.Into = Merge, &p.Target.Patients[match]
			merged[match] = true
		} else {
			plan.UniqueMRN, plan.Obstacle = p.checkMRN(patient, shared)
		}
		p.Patients = append(p.Patients, plan)
	}
	for i := range p.Target.Patients {
		plan := PatientPlan{Patient: &p.Target.Patients[i], Action: Retain}
		if merged[i] {
			plan.Action = MergeInto
		}
		p.Patients = append(p.Patients, plan)
	}
}

// checkMRN checks the record number of a patient who moves by the rules of the target. COMPAT: without a number, the
// uniqueness is not marked even if the target demands it.
func (p *Plan) checkMRN(patient *Patient, shared map[string]bool) (unique bool, obstacle Obstacle) {
	rules, mrn := mrnSettings(p.Target.Clinic), normal(patient.MRN)
	switch {
	case mrn == "" && rules.Required:
		return false, MRNRequired
	case mrn == "" || !rules.Unique:
		return false, ""
	case shared[mrn]:
		return true, DuplicateMRNInSource
	case len(p.matcher.byTraits[traits{mrn: mrn}]) > 0:
		return true, DuplicateMRNInTarget
	default:
		return true, ""
	}
}

// repeatedMRNs returns the record numbers that more than one of the patients has.
func repeatedMRNs(patients []Patient) map[string]bool {
	seen, repeated := map[string]bool{}, map[string]bool{}
	for i := range patients {
		mrn := normal(patients[i].MRN)
		if seen[mrn] && mrn != "" {
			repeated[mrn] = true
		}
		seen[mrn] = true
	}
	return repeated
}

// Matches returns the patients of the target that are like a patient of the source, at most a hundred of each category, in
// the order of the target.
func (p *Plan) Matches(plan *PatientPlan) []Match {
	if !plan.FromSource {
		return nil
	}
	return p.matcher.matches(plan.Patient)
}

// MatchCounts returns how many patients of the target are like a patient of the source, by category.
func (p *Plan) MatchCounts(plan *PatientPlan) map[Category]int {
	if !plan.FromSource {
		return nil
	}
	return p.matcher.counts(plan.Patient)
}
