package clinics

import (
	"maps"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Census says how many patients a clinic has, in all and by tag, site and data source. It can also be a difference between
// two censuses, and then holds negative numbers.
type Census struct {
	Total int
	Demo  int
	Plan  int // patients that count against the limit of the clinic
	// Providers counts data sources, not patients, by provider and state.
	Providers map[string]map[string]int
	Tags      map[bson.ObjectID]int
	Sites     map[bson.ObjectID]int
}

// Plus returns the sum of two censuses. Entries that become 0 are left out.
func (c Census) Plus(other Census) Census { return c.combine(other, 1) }

// Minus returns the difference of two censuses. Entries that become 0 are left out.
func (c Census) Minus(other Census) Census { return c.combine(other, -1) }

// Add adds another census to this one, in place. Entries that become 0 stay; use Plus where that matters.
func (c *Census) Add(other Census) {
	c.Total += other.Total
	c.Demo += other.Demo
	c.Plan += other.Plan
	c.Tags = add(c.Tags, other.Tags)
	c.Sites = add(c.Sites, other.Sites)
	for name, states := range other.Providers {
		if c.Providers == nil {
			c.Providers = map[string]map[string]int{}
		}
		c.Providers[name] = add(c.Providers[name], states)
	}
}

func add[K comparable](sum, counts map[K]int) map[K]int {
	if sum == nil && len(counts) > 0 {
		sum = make(map[K]int, len(counts))
	}
	for key, n := range counts {
		sum[key] += n
	}
	return sum
}

// IsZero reports whether nothing is counted.
func (c Census) IsZero() bool {
	return c.Total == 0 && c.Demo == 0 && c.Plan == 0 && len(c.Providers) == 0 && len(c.Tags) == 0 && len(c.Sites) == 0
}

func (c Census) combine(other Census, sign int) Census {
	sum := Census{
		Total: c.Total + sign*other.Total,
		Demo:  c.Demo + sign*other.Demo,
		Plan:  c.Plan + sign*other.Plan,
		Tags:  combine(c.Tags, other.Tags, sign),
		Sites: combine(c.Sites, other.Sites, sign),
	}
	for _, providers := range []map[string]map[string]int{c.Providers, other.Providers} {
		for name := range providers {
			if states := combine(c.Providers[name], other.Providers[name], sign); len(states) > 0 {
				if sum.Providers == nil {
					sum.Providers = map[string]map[string]int{}
				}
				sum.Providers[name] = states
			}
		}
	}
	return sum
}

func combine[K comparable](a, b map[K]int, sign int) map[K]int {
	sum := maps.Clone(a)
	if sum == nil && len(b) > 0 {
		sum = make(map[K]int, len(b))
	}
	for key, n := range b {
		sum[key] += sign * n
	}
	maps.DeleteFunc(sum, func(_ K, n int) bool { return n == 0 })
	if len(sum) == 0 {
		return nil
	}
	return sum
}

// PatientCount returns the part of the census that the contract stores and shows.
func (c Census) PatientCount() PatientCount {
	count := PatientCount{Total: c.Total, Demo: c.Demo, Plan: c.Plan}
	for name, states := range c.Providers {
		if count.Providers == nil {
			count.Providers = map[string]ProviderCount{}
		}
		provider := ProviderCount{States: states}
		for _, n := range states {
			provider.Total += n
		}
		count.Providers[name] = provider
	}
	return count
}

// Derived is what this service stores in a clinic for itself.
type Derived struct {
	Census *StoredCensus `bson:"census,omitempty"`
}

// StoredCensus is the part of a census that the contract does not store, and what keeps it true; see CensusKeeper.
type StoredCensus struct {
	Tags  map[bson.ObjectID]int `bson:"tags,omitempty"`
	Sites map[bson.ObjectID]int `bson:"sites,omitempty"`
	// Change grows with every change of the census, and Recount with every recount.
	Change  int64 `bson:"change"`
	Recount int64 `bson:"recount"`
	// CountedTime is when the patients were last counted one by one.
	CountedTime time.Time `bson:"countedTime"`
}

// census returns what is stored about the patients of the clinic, and false if that is missing or in an older form, so
// that the patients have to be counted.
func (c *Clinic) census() (Census, bool) {
	if c.PatientCount == nil || c.PatientCount.LegacyPatientCount != nil || c.Derived == nil || c.Derived.Census == nil {
		return Census{}, false
	}
	census := Census{
		Total: c.PatientCount.Total, Demo: c.PatientCount.Demo, Plan: c.PatientCount.Plan,
		Tags: c.Derived.Census.Tags, Sites: c.Derived.Census.Sites,
	}
	for name, provider := range c.PatientCount.Providers {
		if census.Providers == nil {
			census.Providers = map[string]map[string]int{}
		}
		census.Providers[name] = provider.States
	}
	return census, true
}

// TagCount returns how many patients have the tag.
func (c *Clinic) TagCount(id bson.ObjectID) int {
	if c.Derived == nil || c.Derived.Census == nil {
		return 0
	}
	return c.Derived.Census.Tags[id]
}

// SiteCount returns how many patients belong to the site.
func (c *Clinic) SiteCount(id bson.ObjectID) int {
	if c.Derived == nil || c.Derived.Census == nil {
		return 0
	}
	return c.Derived.Census.Sites[id]
}
