package roster

import (
	"hash/maphash"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/summary"
)

// facts are what a table keeps of every patient.
type facts struct {
	id      bson.ObjectID
	ends    [3]uint32 // where name, address and number end in the text
	text    string    // what a search looks at, folded
	updated int64     // updatedTime in milliseconds, 0 if there is none
	name    uint64    // a hash of the name as it is stored
	tags    uint32    // number of the set in the table
	sites   uint32
	kind    nameKind
	usual   bool    // whether glucose is judged by the usual ranges
	broken  bool    // whether a Dexcom account is not connected
	known   [2]bool // whether there is last data, by halves of the summary
}

// nameKind tells types of stored names apart, which the database does not compare with each other.
type nameKind uint8

const (
	noName nameKind = iota
	textName
	oddName
)

// searched are the fields that a search looks at.
var searched = [...]string{"fullName", "email", "mrn", "birthDate"}

// halves are the orders by last data, whose indexes hold the patients who have a half of the summary with data.
var halves = [2]order{
	fieldOrder(sortFields[summary.CGM]["lastData"], scope{device: summary.CGM}, 1),
	fieldOrder(sortFields[summary.BGM]["lastData"], scope{device: summary.BGM}, 1),
}

var halfFlags = [2][]string{strings.Split(halves[0].flag, "."), strings.Split(halves[1].flag, ".")}

// factFields are what readFacts reads.
var factFields = append([]string{
	"updatedTime", "tags", "sites.id", "glycemicRanges.preset", "dataSources.providerName", "dataSources.state", halves[0].flag, halves[1].flag,
}, searched[:]...)

// groupSet is a distinct value of the tags or sites of patients, as conditions see it.
type groupSet struct {
	none bool // whether it counts as having none
	ids  []bson.ObjectID
}

// groupSets gives a number to each distinct groupSet.
type groupSets struct {
	sets    []groupSet
	numbers map[string]uint32
}

func newGroupSets() groupSets { return groupSets{numbers: map[string]uint32{}} }

func (g *groupSets) number(set groupSet) uint32 {
	key := make([]byte, 1, 1+len(set.ids)*len(bson.ObjectID{}))
	if set.none {
		key[0] = 1
	}
	for _, id := range set.ids {
		key = append(key, id[:]...)
	}
	n, ok := g.numbers[string(key)]
	if !ok {
		n = uint32(len(g.sets)) //nolint:gosec // there are fewer than patients
		g.sets = append(g.sets, set)
		g.numbers[string(key)] = n
	}
	return n
}

// readFacts reads a stored record, of which only the factFields need be there.
func (g *groupSets) readFacts(record bson.Raw) facts {
	f := facts{id: idOf(record)}
	if at, ok := lookup(record, "updatedTime").DateTimeOK(); ok {
		f.updated = at
	}
	f.name, f.kind = nameOf(record)
	var values []string
	size := 0
	for i, path := range searched {
		for _, value := range texts(record, path) {
			values = append(values, fold(value))
			size += len(values[len(values)-1]) + 1
		}
		if i < len(f.ends) {
			f.ends[i] = uint32(max(0, size-1)) // a record has 16 MiB at most
		}
	}
	f.text = strings.Join(values, "\x00") // which no search contains
	f.tags = g.number(groupsIn(record, "tags"))
	f.sites = g.number(groupsIn(record, "sites", "id"))
	_, err := record.LookupErr("glycemicRanges")
	f.usual = err != nil || slices.Contains(texts(record, "glycemicRanges", "preset"), "adaStandard")
	for _, source := range store.Items(lookup(record, "dataSources")) {
		if d, ok := source.DocumentOK(); ok && slices.Contains(texts(d, "providerName"), patients.ProviderDexcom) {
			f.broken = f.broken || !slices.Contains(texts(d, "state"), "connected")
		}
	}
	for i, path := range halfFlags {
		f.known[i] = isTrue(record, path)
	}
	return f
}

func (f *facts) identity() identity {
	name, address, mrn := f.ends[0], f.ends[1], f.ends[2]
	return identity{name: f.text[:name], address: f.text[name:address], mrn: f.text[address:mrn], birthDate: f.text[mrn:]}
}

func idOf(record bson.Raw) bson.ObjectID {
	id, _ := record.Lookup("_id").ObjectIDOK()
	return id
}

var nameSeed = maphash.MakeSeed()

func nameOf(record bson.Raw) (uint64, nameKind) {
	value, err := record.LookupErr("fullName")
	if err != nil || value.Type == bson.TypeNull {
		return 0, noName
	}
	kind := oddName
	if value.Type == bson.TypeString {
		kind = textName
	}
	return maphash.Bytes(nameSeed, value.Value), kind
}

// groupsIn reads the tags or sites of a record, whose ids stand at the path.
func groupsIn(record bson.Raw, path ...string) groupSet {
	value, err := record.LookupErr(path[0])
	if err != nil || value.Type == bson.TypeNull {
		return groupSet{none: true}
	}
	var set groupSet
	if value.Type == bson.TypeArray {
		list := store.Items(value)
		set.none = len(list) == 0
		for _, item := range list { // a list that has null or an empty list in it counts, too
			set.none = set.none || item.Type == bson.TypeNull || item.Type == bson.TypeArray && len(store.Items(item)) == 0
		}
	}
	for _, candidate := range candidates(document(record), path) {
		if id, ok := candidate.ObjectIDOK(); ok {
			set.ids = append(set.ids, id)
		}
	}
	return set
}
