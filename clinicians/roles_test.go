package clinicians

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewRoles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stored, wanted, roles []string
		changed               bool
	}{
		"the same":          {[]string{RoleMember}, []string{RoleMember}, []string{RoleMember}, false},
		"another order":     {[]string{RolePrescriber, RoleMember}, []string{RolePrescriber, RoleMember}, []string{RoleMember, RolePrescriber}, false},
		"as many, others":   {[]string{RoleMember, RolePrescriber}, []string{RolePrescriber, RoleAdmin}, []string{RoleAdmin, RolePrescriber}, true},
		"one more":          {[]string{RoleMember}, []string{RolePrescriber, RoleMember}, []string{RolePrescriber, RoleMember}, true},
		"one less":          {[]string{RolePrescriber, RoleMember}, []string{RoleMember}, []string{RoleMember}, true},
		"none were stored":  {nil, []string{RolePrescriber, RoleMember}, []string{RolePrescriber, RoleMember}, true},
		"sorted as a whole": {[]string{RoleAdmin, RoleMember, RolePrescriber}, []string{RolePrescriber, RoleMember, RoleAdmin}, []string{RoleAdmin, RoleMember, RolePrescriber}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			roles, changed := newRoles(test.stored, test.wanted)
			require.Equal(t, test.roles, roles)
			require.Equal(t, test.changed, changed)
		})
	}
}
