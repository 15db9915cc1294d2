package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/auth"
)

func TestParseAccessRefusesWhatDecidesNothing(t *testing.T) {
	t.Parallel()
	for _, entries := range [][]string{nil, {}, {"everybody"}, {"service permission"}, {"admin", ""}} {
		_, err := auth.ParseAccess(entries)
		require.Error(t, err, "%q", entries)
	}
}

func TestAccessRules(t *testing.T) {
	t.Parallel()
	service, user := auth.Caller{UserID: "service", Server: true}, auth.Caller{UserID: "u"}
	member, admin := auth.Membership{Member: true}, auth.Membership{Admin: true}
	tests := map[string]struct {
		entry      string
		caller     auth.Caller
		membership auth.Membership
		path       map[string]string
		allowed    bool
	}{
		"service":                               {"service", service, auth.Membership{}, nil, true},
		"user is no service":                    {"service", user, admin, nil, false},
		"user":                                  {"user", user, auth.Membership{}, nil, true},
		"service is no user":                    {"user", service, auth.Membership{}, nil, false},
		"admin":                                 {"admin", user, admin, nil, true},
		"member is no admin":                    {"admin", user, member, nil, false},
		"admin has every right of a member":     {"member", user, admin, nil, true},
		"a service with a role may use it":      {"admin", service, admin, nil, true},
		"self as patient":                       {"self", user, auth.Membership{}, map[string]string{"patientId": "u"}, true},
		"self as user":                          {"self", user, auth.Membership{}, map[string]string{"userId": "u"}, true},
		"somebody else":                         {"self", user, admin, map[string]string{"userId": "v"}, false},
		"a service is never itself":             {"self", service, auth.Membership{}, map[string]string{"userId": "service"}, false},
		"self with a role":                      {"self-member", user, member, map[string]string{"clinicianId": "u"}, true},
		"self without a role":                   {"self-member", user, auth.Membership{}, map[string]string{"clinicianId": "u"}, false},
		"condition holds":                       {"service permission=custodian", service, auth.Membership{}, map[string]string{"permission": "custodian"}, true},
		"condition does not hold":               {"service permission=custodian", service, auth.Membership{}, map[string]string{"permission": "view"}, false},
		"a slash inside a parameter":            {"service", service, auth.Membership{}, map[string]string{"inviteId": "a/b"}, false},
		"nobody":                                {"user", auth.Caller{}, admin, nil, false},
		"a partner's rule lets no session pass": {"redox", service, admin, nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			access, err := auth.ParseAccess([]string{test.entry})
			require.NoError(t, err)
			require.Equal(t, test.allowed, access.Allows(test.caller, test.membership, test.path))
		})
	}
}

func TestSameSecret(t *testing.T) {
	t.Parallel()
	require.True(t, auth.SameSecret("secret", "secret"))
	require.False(t, auth.SameSecret("Secret", "secret"))
	require.False(t, auth.SameSecret("", "secret"))
	require.False(t, auth.SameSecret("", ""), "a credential that is not configured is never matched")
}

func TestAccessIncludes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		read, write []string
		included    bool
	}{
		"the same":         {[]string{"service", "admin"}, []string{"service", "admin"}, true},
		"fewer":            {[]string{"service", "admin", "member"}, []string{"admin"}, true},
		"an admin is one":  {[]string{"service", "user"}, []string{"service", "admin"}, true},
		"a service is not": {[]string{"user"}, []string{"service"}, false},
		"others":           {[]string{"service", "admin"}, []string{"self"}, false},
	} {
		read, err := auth.ParseAccess(test.read)
		require.NoError(t, err)
		write, err := auth.ParseAccess(test.write)
		require.NoError(t, err)
		require.Equal(t, test.included, read.Includes(write), name)
	}
}
