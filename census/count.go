package census

import (
	"maps"
	"regexp"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Count says how many patients a clinic has. It can also be a difference between two counts, and then holds negative numbers.
type Count struct {
	Total int
	Demo  int
	Plan  int // patients that count against the limit of the clinic
	// Providers counts data sources, not patients, by provider and state.
	Providers map[string]map[string]int
	Groups
}

// Groups says how many patients of a clinic have a tag, and how many belong to a site. What is 0 may be missing.
type Groups struct {
	Tags  map[bson.ObjectID]int
	Sites map[bson.ObjectID]int
}

// Facts are what of a patient counts.
type Facts struct {
	UserID  string
	Tags    []bson.ObjectID
	Sites   []bson.ObjectID
	Sources []Source
}

// Source is a data source of a patient.
type Source struct{ Provider, State string }

// freeOfCharge is the provider whose patients do not count against the limit of the clinic.
const freeOfCharge = "twiist"

// Names of providers and states become keys of the clinic document, so that what callers make up must not be one.
var (
	providerName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)
	stateName    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
)

// Of returns what one patient adds to the count of the clinic. Its maps may name tags and sites that the clinic does not have.
func (s *Service) Of(patient Facts) Count {
	count := Count{Total: 1, Plan: 1}
	for _, id := range patient.Tags {
		count.Tags = increased(count.Tags, id)
	}
	for _, id := range patient.Sites {
		count.Sites = increased(count.Sites, id)
	}
	if s.demoUserID != "" && patient.UserID == s.demoUserID {
		count.Demo, count.Plan = 1, 0
		return count
	}
	for _, source := range patient.Sources {
		if source.Provider == freeOfCharge {
			count.Plan = 0
		}
		if !providerName.MatchString(source.Provider) || !stateName.MatchString(source.State) {
			continue // older writers left entries without a provider or a state
		}
		if count.Providers == nil {
			count.Providers = map[string]map[string]int{}
		}
		count.Providers[source.Provider] = increased(count.Providers[source.Provider], source.State)
	}
	return count
}

func increased[K comparable](counts map[K]int, key K) map[K]int {
	if counts == nil {
		counts = map[K]int{}
	}
	counts[key]++
	return counts
}

// Plus returns the sum of two counts. Entries that become 0 are left out.
func (c Count) Plus(other Count) Count { return c.combine(other, 1) }

// Minus returns the difference of two counts. Entries that become 0 are left out.
func (c Count) Minus(other Count) Count { return c.combine(other, -1) }

// IsZero reports whether nothing is counted.
func (c Count) IsZero() bool { return c.isPatientCountZero() && len(c.Tags) == 0 && len(c.Sites) == 0 }

func (c Count) isPatientCountZero() bool {
	return c.Total == 0 && c.Demo == 0 && c.Plan == 0 && len(c.Providers) == 0
}

func (c Count) combine(other Count, sign int) Count {
	sum := Count{
		Total: c.Total + sign*other.Total,
		Demo:  c.Demo + sign*other.Demo,
		Plan:  c.Plan + sign*other.Plan,
		Groups: Groups{
			Tags:  combine(c.Tags, other.Tags, sign),
			Sites: combine(c.Sites, other.Sites, sign),
		},
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

// maxNames bounds the providers of a clinic, and the states of a provider, that are counted. Real clinics have a handful of each.
const maxNames = 64

// bounded returns the count without providers and states that the count before does not have, as far as they are too many.
func (c Count) bounded(before Count) Count {
	for name, states := range c.Providers {
		for state := range states {
			if _, known := before.Providers[name][state]; !known && len(states) > maxNames {
				delete(states, state)
			}
		}
		if _, known := before.Providers[name]; !known && len(c.Providers) > maxNames {
			delete(c.Providers, name)
		}
	}
	return c
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

// add adds another count to this one, in place. Entries that become 0 stay.
func (c *Count) add(other Count) {
	c.Total += other.Total
	c.Demo += other.Demo
	c.Plan += other.Plan
	c.Tags = addTo(c.Tags, other.Tags)
	c.Sites = addTo(c.Sites, other.Sites)
	for name, states := range other.Providers {
		if c.Providers == nil {
			c.Providers = map[string]map[string]int{}
		}
		c.Providers[name] = addTo(c.Providers[name], states)
	}
}

func addTo[K comparable](sum, counts map[K]int) map[K]int {
	if sum == nil && len(counts) > 0 {
		sum = make(map[K]int, len(counts))
	}
	for key, n := range counts {
		sum[key] += n
	}
	return sum
}
