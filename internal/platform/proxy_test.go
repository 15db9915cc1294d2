package platform

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The proxy variables are read once per process and never apply to this machine, so that a test cannot see them at work.
func TestOnlyOutsideNeighboursAreReachedThroughAProxy(t *testing.T) {
	t.Parallel()
	const address = "http://neighbour"
	users, err := NewUserService(UserServiceConfig{Address: address}, Options{})
	require.NoError(t, err)
	profiles, err := NewProfileService(address, users, Options{})
	require.NoError(t, err)
	auth, err := NewAuthService(AuthServiceConfig{Address: address, ExternalAddress: address}, Options{})
	require.NoError(t, err)
	openID, err := NewOpenID(address, Options{})
	require.NoError(t, err)
	xealth, err := NewXealth(XealthConfig{TokenURL: address, BaseURL: address}, Options{})
	require.NoError(t, err)

	for outside, upstreams := range map[bool][]*upstream{
		false: {users.upstream, profiles.upstream},
		true:  {auth.upstream, openID.upstream, xealth.api, xealth.issuer},
	} {
		for _, p := range upstreams {
			transport, ok := p.client.Transport.(*http.Transport)
			require.True(t, ok)
			require.Equal(t, outside, transport.Proxy != nil, p.name)
		}
	}
}
