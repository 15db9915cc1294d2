package roster

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

// Likeness is what patients have in common who may be one person.
type Likeness string

// The likenesses, from the surest to the least sure. Names are compared without regard to case, accents, signs and the order of their
// words, numbers without regard to case and signs, addresses without regard to case.
const (
	SameMRN          Likeness = "mrn"
	SameNameAndBirth Likeness = "fullNameAndBirthDate"
	SameEmail        Likeness = "email"
	SameName         Likeness = "fullName"
)

// likenesses are all of them in this order.
var likenesses = [...]Likeness{SameMRN, SameNameAndBirth, SameEmail, SameName}

// UsualLikenesses are those that make a duplicate likely. Many have the same name.
func UsualLikenesses() []Likeness { return []Likeness{SameMRN, SameNameAndBirth, SameEmail} }

// MaxAlike is how many patients of a group are shown; of a name that thousands have, nobody can look at all.
const MaxAlike = 20

// Duplicates are a page of groups of patients of a clinic who may be one person.
type Duplicates struct {
	Groups []AlikeGroup
	Count  int // of the groups on all pages
}

// AlikeGroup are patients who have the same in common.
type AlikeGroup struct {
	By       []Likeness
	Count    int                 // of all patients of the group
	Patients []*patients.Patient // the first MaxAlike by their ids, with what tells persons apart and without summaries
}

// Duplicates returns the groups of patients who share one of the likenesses, those who share more of them first, then by the surest
// and by the oldest record. The cost grows with the number of patients, however many of them are alike.
func (s *Service) Duplicates(ctx context.Context, clinicID bson.ObjectID, by []Likeness, page store.Page) (*Duplicates, error) {
	for round := 1; ; round++ {
		found, err := s.alike(ctx, clinicID, by)
		if err != nil {
			return nil, err
		}
		result := &Duplicates{Count: len(found)}
		found = store.Cut(found, page)
		var gone []bson.ObjectID
		if result.Groups, gone, err = s.showAlike(ctx, clinicID, found); err != nil || len(gone) == 0 || round == rankings {
			return result, err
		}
		s.tables.of(clinicID).suspect(gone)
	}
}

// alike finds the groups in the table of the clinic. A clinic that is too large for one is read for what they depend on.
func (s *Service) alike(ctx context.Context, clinicID bson.ObjectID, by []Likeness) ([]alikeIDs, error) {
	var finder *alikeFinder
	err := s.tables.of(clinicID).read(ctx, needs{}, func(c *contents) bool {
		finder = newAlikeFinder(by)
		for _, slot := range c.slots {
			finder.add(c.rows[slot].id, c.rows[slot].identity())
		}
		return true
	})
	if errors.Is(err, errTooLarge) {
		finder, err = s.alikeByQuery(ctx, clinicID, by)
	}
	if err != nil {
		return nil, err
	}
	return finder.groups(), nil
}

func (s *Service) alikeByQuery(ctx context.Context, clinicID bson.ObjectID, by []Likeness) (*alikeFinder, error) {
	projection := bson.D{}
	for _, path := range searched {
		projection = append(projection, bson.E{Key: path, Value: 1})
	}
	cursor, err := s.find(ctx, bson.D{{Key: "clinicId", Value: clinicID}}, options.Find().SetProjection(projection).SetBatchSize(loadBatch), "PatientsByCreation")
	if err != nil {
		return nil, err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	finder := newAlikeFinder(by)
	for cursor.Next(ctx) {
		finder.add(idOf(cursor.Current), identityOf(cursor.Current))
	}
	return finder, cursor.Err()
}

// showAlike reads what is shown of the groups, and returns who of them is not in the clinic any more.
func (s *Service) showAlike(ctx context.Context, clinicID bson.ObjectID, found []alikeIDs) (groups []AlikeGroup, gone []bson.ObjectID, err error) {
	ids := bson.A{}
	for _, group := range found {
		for _, id := range group.shown() {
			ids = append(ids, id)
		}
	}
	shown := map[bson.ObjectID]*patients.Patient{}
	if len(ids) > 0 {
		cursor, err := s.find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}, {Key: "clinicId", Value: clinicID}},
			options.Find().SetBatchSize(rankBatch).SetProjection(store.Ascending("userId", "fullName", "birthDate", "mrn", "email", "createdTime")), "_id_")
		for patient, err := range store.Documents[*patients.Patient](ctx, cursor, err) {
			if err != nil {
				return nil, nil, err
			}
			shown[patient.ID] = patient
		}
	}
	for _, group := range found {
		one := AlikeGroup{By: group.by, Count: len(group.ids)}
		for _, id := range group.shown() {
			if patient, ok := shown[id]; ok {
				one.Patients = append(one.Patients, patient)
			} else {
				gone = append(gone, id)
			}
		}
		groups = append(groups, one)
	}
	return groups, gone, nil
}

// alikeIDs are the ids of a group, in order.
type alikeIDs struct {
	by  []Likeness
	ids []bson.ObjectID
}

func (g *alikeIDs) shown() []bson.ObjectID { return g.ids[:min(MaxAlike, len(g.ids))] }

// compare says which of two groups comes first.
func (g *alikeIDs) compare(other *alikeIDs) int {
	return cmp.Or(
		cmp.Compare(len(other.by), len(g.by)),
		cmp.Compare(slices.Index(likenesses[:], g.by[0]), slices.Index(likenesses[:], other.by[0])),
		bytes.Compare(g.ids[0][:], other.ids[0][:]),
	)
}

// alikeFinder puts patients together by what they have in common. It keeps a hash of that and a place for each.
type alikeFinder struct {
	by     [len(likenesses)]bool
	seed   maphash.Seed
	last   [len(likenesses)]map[uint64]int32 // the last patient with the hash
	before [len(likenesses)][]int32          // the one before each, -1 if there is none
	ids    []bson.ObjectID
	w      written
}

func newAlikeFinder(by []Likeness) *alikeFinder {
	f := &alikeFinder{seed: maphash.MakeSeed()}
	for i, likeness := range likenesses {
		f.by[i], f.last[i] = slices.Contains(by, likeness), map[uint64]int32{}
	}
	return f
}

// add takes a patient. What is not known is like nothing.
func (f *alikeFinder) add(id bson.ObjectID, of identity) {
	place := int32(len(f.ids)) //nolint:gosec // a clinic has fewer patients
	f.ids = append(f.ids, id)
	for i, likeness := range likenesses {
		if !f.by[i] {
			continue
		}
		before := int32(-1)
		if key := f.key(likeness, of); key != "" {
			hash := maphash.String(f.seed, key)
			if last, ok := f.last[i][hash]; ok {
				before = last
			}
			f.last[i][hash] = place
		}
		f.before[i] = append(f.before[i], before)
	}
}

// key returns what patients share who are alike, "" if it is not known.
func (f *alikeFinder) key(likeness Likeness, of identity) string {
	switch likeness {
	case SameMRN:
		f.w.read(of.mrn)
		return string(f.w.letters)
	case SameEmail:
		return strings.Trim(of.address, " \x00")
	default:
		f.w.read(of.name)
		words := f.w.parts()
		slices.Sort(words)
		name, born := strings.Join(words, " "), strings.Trim(of.birthDate, " \x00")
		if likeness == SameName || name == "" {
			return name
		}
		if born == "" {
			return ""
		}
		return name + "\x00" + born
	}
}

// groups returns all groups in their order. What has the same members is one group.
func (f *alikeFinder) groups() []alikeIDs {
	var found []*alikeIDs
	byMembers := map[uint64]*alikeIDs{}
	for i, likeness := range likenesses {
		for _, place := range f.last[i] {
			if f.before[i][place] < 0 {
				continue
			}
			var ids []bson.ObjectID
			for ; place >= 0; place = f.before[i][place] {
				ids = append(ids, f.ids[place])
			}
			slices.SortFunc(ids, func(a, b bson.ObjectID) int { return bytes.Compare(a[:], b[:]) })
			hash := f.members(ids)
			if same, ok := byMembers[hash]; ok {
				same.by = append(same.by, likeness)
				continue
			}
			byMembers[hash] = &alikeIDs{by: []Likeness{likeness}, ids: ids}
			found = append(found, byMembers[hash])
		}
	}
	slices.SortFunc(found, (*alikeIDs).compare)
	groups := make([]alikeIDs, len(found))
	for i, group := range found {
		groups[i] = *group
	}
	return groups
}

func (f *alikeFinder) members(ids []bson.ObjectID) uint64 {
	var h maphash.Hash
	h.SetSeed(f.seed)
	for _, id := range ids {
		_, _ = h.Write(id[:]) // a hash takes everything
	}
	_, _ = h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(ids)))) //nolint:gosec // a clinic has fewer patients
	return h.Sum64()
}
