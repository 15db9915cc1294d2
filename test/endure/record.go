package main

import (
	"fmt"
	"slices"
)

// shape is what a caller last asked a patient to be.
type shape struct {
	name string
	tag  string
}

// record is what a caller knows of a patient that it made. Only that caller changes the patient, so it knows all that can be
// stored.
type record struct {
	clinic string
	id     string // "" as long as the creation was not answered
	mrn    string
	// shapes are what can be stored: what was answered with 2xx, and what was not answered since. Once there are two of them the
	// patient is left alone, because a write that nobody answered may still come.
	shapes []shape
	// unsure tells that the patient may be there or not: the creation or the removal was not answered with 2xx.
	unsure bool
	gone   bool
}

// settled reports whether the patient is certainly there, in a certain shape.
func (r *record) settled() bool { return r.id != "" && !r.unsure && !r.gone && len(r.shapes) == 1 }

// ledger is all records of one caller. It is used by that caller alone until the load has ended.
type ledger struct {
	caller  int
	records []*record
	number  int
}

// open begins the record of a patient that is about to be created.
func (l *ledger) open(clinic string, s shape) *record {
	l.number++
	r := &record{clinic: clinic, mrn: fmt.Sprintf("E%03d-%06d", l.caller, l.number), shapes: []shape{s}, unsure: true}
	l.records = append(l.records, r)
	return r
}

// some returns one of the settled records, by the number, nil if there is none.
func (l *ledger) some(n int) *record {
	settled := l.settled()
	if len(settled) == 0 {
		return nil
	}
	return settled[n%len(settled)]
}

func (l *ledger) settled() []*record {
	var found []*record
	for _, r := range l.records {
		if r.settled() {
			found = append(found, r)
		}
	}
	return found
}

// stored is a patient as the database has it.
type stored struct {
	clinic, id, mrn string
	shape           shape
}

// compare returns what is lost, undead, doubled, wrong or unknown among the stored patients.
func compare(records []*record, patients []stored) []string {
	var wrong []string
	byMRN := map[string]*record{}
	for _, r := range records {
		byMRN[r.mrn] = r
	}
	seen := map[string]bool{}
	for _, p := range patients {
		r := byMRN[p.mrn]
		switch {
		case r == nil:
			wrong = append(wrong, "nobody created "+p.mrn)
		case seen[p.mrn]:
			wrong = append(wrong, p.mrn+" is there twice")
		case r.gone:
			wrong = append(wrong, p.mrn+" was removed and is there")
		case r.clinic != p.clinic || r.id != "" && r.id != p.id:
			wrong = append(wrong, p.mrn+" is another patient than was answered")
		case !slices.Contains(r.shapes, p.shape):
			wrong = append(wrong, fmt.Sprintf("%s is %v, and should be one of %v", p.mrn, p.shape, r.shapes))
		}
		seen[p.mrn] = true
	}
	for _, r := range records {
		if !r.gone && !r.unsure && !seen[r.mrn] {
			wrong = append(wrong, r.mrn+" is lost")
		}
	}
	return wrong
}
