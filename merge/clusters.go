package merge

import "slices"

// Cluster is a group of patients of one clinic who may be one person: each is like at least one other of the group.
type Cluster struct {
	Members []ClusterMember // in the order of the clinic's patients
}

// ClusterMember is a patient of a cluster.
type ClusterMember struct {
	Patient *Patient
	clinic  *matcher
}

// Alike returns the user ids of the patients of the cluster who are like this one, by category. It is computed anew by
// each call, because in a large cluster there are many.
func (m *ClusterMember) Alike() map[Category][]string {
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
	group := newGroups(len(patients))
	for _, alike := range []map[string][]int{m.byName, m.byMRN} {
		for _, indexes := range alike {
			for _, i := range indexes[1:] {
				group.join(indexes[0], i)
			}
		}
	}
	members := map[int][]int{}
	for i := range patients {
		first := group.first(i)
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
	cluster := Cluster{Members: make([]ClusterMember, 0, len(indexes))}
	for _, i := range indexes {
		cluster.Members = append(cluster.Members, ClusterMember{Patient: &m.patients[i], clinic: m})
	}
	return cluster
}

// groups are sets of numbers that are joined step by step; each is known by its lowest number.
type groups []int

func newGroups(n int) groups {
	g := make(groups, n)
	for i := range g {
		g[i] = i
	}
	return g
}

func (g groups) first(i int) int {
	for g[i] != i {
		g[i] = g[g[i]]
		i = g[i]
	}
	return i
}

func (g groups) join(a, b int) {
	a, b = g.first(a), g.first(b)
	g[max(a, b)] = min(a, b)
}
