package merge

import "slices"

// Cluster is a group of patients of one clinic who may be one person: each is like at least one other of the group.
type Cluster struct {
	Members []clusterMember // in the order of the clinic's patients
}

// clusterMember is a patient of a cluster.
type clusterMember struct {
	Patient *Patient
	clinic  *matcher
}

// Counts returns how many patients of the cluster are like this one, by category.
func (m *clusterMember) Counts() map[Category]int { return m.clinic.counts(m.Patient) }

// Alike returns the user ids of the patients of the cluster who are like this one, by category, at most a hundred of each.
func (m *clusterMember) Alike() map[Category][]string {
	alike := map[Category][]string{}
	for _, match := range m.clinic.matches(m.Patient) {
		alike[match.Category] = append(alike[match.Category], m.clinic.patients[match.Index].UserID)
	}
	return alike
}

// Clusters returns the groups of patients of one clinic who may be one person, by the position of their first member.
// Every patient is in one group at most.
func Clusters(patients []Patient) []Cluster {
	m := newMatcher(patients)
	sets := newDisjointSets(len(patients))
	for i := range patients {
		for _, combination := range []func(traits) (traits, bool){traits.nameOnly, traits.mrnOnly} {
			if same := m.sharing(m.traits[i], combination); len(same) > 0 {
				sets.join(same[0], i)
			}
		}
	}
	members := map[int][]int{}
	for i := range patients {
		first := sets.first(i)
		members[first] = append(members[first], i)
	}
	var firsts []int
	for first, indexes := range members {
		if len(indexes) > 1 {
			firsts = append(firsts, first)
		}
	}
	slices.Sort(firsts)
	clusters := make([]Cluster, 0, len(firsts))
	for _, first := range firsts {
		clusters = append(clusters, m.cluster(members[first]))
	}
	return clusters
}

func (m *matcher) cluster(indexes []int) Cluster {
	cluster := Cluster{Members: make([]clusterMember, 0, len(indexes))}
	for _, i := range indexes {
		cluster.Members = append(cluster.Members, clusterMember{Patient: &m.patients[i], clinic: m})
	}
	return cluster
}

// disjointSets are sets of numbers that are joined step by step. Each is known by its lowest number.
type disjointSets []int

func newDisjointSets(n int) disjointSets {
	d := make(disjointSets, n)
	for i := range d {
		d[i] = i
	}
	return d
}

func (d disjointSets) first(i int) int {
	for d[i] != i {
		d[i] = d[d[i]]
		i = d[i]
	}
	return i
}

func (d disjointSets) join(a, b int) {
	a, b = d.first(a), d.first(b)
	d[max(a, b)] = min(a, b)
}
