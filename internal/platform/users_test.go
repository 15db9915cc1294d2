package platform_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/internal/platform"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestUserServiceLogin(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	again, err := platform.NewUserService(
		platform.UserServiceConfig{Address: n.server.URL, Secret: userSecret}, platform.Options{})
	require.NoError(t, err)
	require.NoError(t, again.Start(t.Context()))
	defer again.Stop()

	login := n.only(t)
	require.Equal(t, "POST /serverlogin", login.String())
	require.Equal(t, "clinics", login.Header.Get("x-tidepool-server-name"))
	require.Equal(t, userSecret, login.Header.Get("x-tidepool-server-secret"))
	require.Empty(t, login.Body)
	require.Empty(t, login.Header.Get("Content-Type"))
}

func TestUserServiceStartFailsWithoutLogin(t *testing.T) {
	t.Parallel()
	faults := map[string]standin.Fault{
		"refused":  {Status: http.StatusUnauthorized},
		"no token": {Status: http.StatusOK},
		"cut":      {Cut: true},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, setting{})
			users, err := platform.NewUserService(
				platform.UserServiceConfig{Address: n.server.URL, Secret: userSecret}, platform.Options{})
			require.NoError(t, err)
			defer users.Stop()
			n.stand.Fail("POST /serverlogin", fault)
			err = users.Start(t.Context())
			require.ErrorContains(t, err, "user service: server login: ")
			requireDiscreet(t, err)
		})
	}
}

func TestGetUser(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddUser(standin.User{
		UserID: aUser, Username: anEmail, Emails: []string{anEmail}, PasswordExists: true, EmailVerified: true,
		Roles: []string{"clinic"}, TermsAccepted: "2020-01-01",
	})
	want := platform.User{
		UserID: aUser, Username: anEmail, Emails: []string{anEmail}, PasswordExists: true, EmailVerified: true,
		Roles: []string{"clinic"},
	}
	tests := map[string]struct{ key, path string }{
		"by id":     {aUser, "/user/1234567890"},
		"by e-mail": {anEmail, "/user/ann@x.org"},
	}
	for _, test := range tests {
		n.stand.ForgetCalls()
		user, err := n.users.GetUser(t.Context(), test.key)
		require.NoError(t, err)
		require.Equal(t, want, user)
		require.False(t, user.IsCustodial())
		require.True(t, user.IsLegacyClinic())
		call := n.only(t)
		require.Equal(t, "GET "+test.path, call.String())
		require.NotEmpty(t, call.Header.Get("x-tidepool-session-token"))
		require.Empty(t, call.Body)
	}
}

func TestGetUserAnswers(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})

	_, err := n.users.GetUser(t.Context(), "0000000000")
	require.Equal(t, errs.NotFound, errs.KindOf(err))
	require.Equal(t, "not found", errs.Public(err))

	n.stand.Fail("GET /user/", standin.Fault{Status: http.StatusNoContent})
	user, err := n.users.GetUser(t.Context(), aUser)
	require.NoError(t, err)
	require.Equal(t, platform.User{}, user)
	require.True(t, user.IsCustodial())
	require.False(t, user.IsLegacyClinic())

	n.stand.Fail("GET /user/", standin.Fault{Body: `{"UserID":"1234567890","Roles":null,"more":{}}`})
	user, err = n.users.GetUser(t.Context(), aUser)
	require.NoError(t, err)
	require.Equal(t, platform.User{UserID: aUser}, user, "names of members are matched in any case")
}

func TestOddIDsStayOneSegment(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	paths := map[string]string{
		"a/b@x.org":        "/user/a%2Fb@x.org",
		"../token/x":       "/user/..%2Ftoken%2Fx",
		`a\b`:              "/user/a%5Cb",
		"a b?c#d":          "/user/a%20b%3Fc%23d",
		"%2e%2e":           "/user/%252e%252e",
		"jos\u00e9@x.org":  "/user/jos%C3%A9@x.org",
		"plus+tag@x.org":   "/user/plus+tag@x.org",
		"line\nbreak@x.or": "/user/line%0Abreak@x.or",
	}
	for id, path := range paths {
		n.stand.ForgetCalls()
		_, err := n.users.GetUser(t.Context(), id)
		require.Equal(t, errs.NotFound, errs.KindOf(err))
		require.Equal(t, "GET "+path, n.only(t).String())
	}
	n.stand.ForgetCalls()
	for _, id := range []string{"", ".", ".."} {
		_, err := n.users.GetUser(t.Context(), id)
		require.Equal(t, errs.NotFound, errs.KindOf(err))
		profile, err := n.profiles.Profile(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, platform.Profile{}, profile)
		_, err = n.auth.GetRestrictedToken(t.Context(), id)
		require.Equal(t, errs.Unauthorized, errs.KindOf(err))
		_, err = n.users.CreateCustodialUser(t.Context(), id, "")
		require.Equal(t, errs.Internal, errs.KindOf(err))
	}
	require.Zero(t, n.stand.Count("GET", "POST /v1"), "what cannot be one segment is not sent")
}

func TestCreateCustodialUser(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	bodies := map[string]string{anEmail: `{"username":"ann@x.org","emails":["ann@x.org"]}`, "": `{}`}
	for email, body := range bodies {
		n.stand.ForgetCalls()
		user, err := n.users.CreateCustodialUser(t.Context(), aClinic, email)
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{10}$", user.UserID)
		require.True(t, user.IsCustodial())
		require.Equal(t, email, user.Username)
		call := n.only(t)
		require.Equal(t, "POST /v1/clinics/"+aClinic+"/users", call.String())
		require.Equal(t, body, call.Body)
		require.Equal(t, "application/json", call.Header.Get("Content-Type"))
		require.NotEmpty(t, call.Header.Get("x-tidepool-session-token"))
	}

	_, err := n.users.CreateCustodialUser(t.Context(), aClinic, anEmail)
	require.Equal(t, errs.Duplicate, errs.KindOf(err))
	require.Equal(t, "duplicate: email address is already taken", errs.Public(err))
}

func TestCreateCustodialUserAcceptsOnlyCreatedWithID(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	faults := map[string]standin.Fault{
		"200":   {Body: `{"userid":"1234567890"}`},
		"204":   {Status: http.StatusNoContent},
		"400":   {Status: http.StatusBadRequest},
		"404":   {Status: http.StatusNotFound},
		"no id": {Status: http.StatusCreated, Body: `{"userid":""}`},
	}
	for name, fault := range faults {
		n.stand.Fail("POST /v1/clinics/", fault)
		_, err := n.users.CreateCustodialUser(t.Context(), aClinic, "")
		require.Error(t, err, name)
		require.Equal(t, errs.BlandText, errs.Public(err), name)
	}
}

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddUser(standin.User{UserID: aUser})
	n.stand.AddUser(standin.User{UserID: "other", Username: "taken@x.org"})
	bodies := map[string]string{
		anEmail: `{"updates":{"username":"ann@x.org","emails":["ann@x.org"]}}`,
		"":      `{"updates":{"emails":[]}}`,
	}
	for email, body := range bodies {
		n.stand.ForgetCalls()
		require.NoError(t, n.users.UpdateUser(t.Context(), aUser, email))
		call := n.only(t)
		require.Equal(t, "PUT /user/1234567890", call.String())
		require.Equal(t, body, call.Body)
		require.Equal(t, "application/json", call.Header.Get("Content-Type"))
		require.NotEmpty(t, call.Header.Get("x-tidepool-session-token"))
		changed, _ := n.stand.User(aUser)
		require.Equal(t, email, changed.Username)
	}

	err := n.users.UpdateUser(t.Context(), aUser, "taken@x.org")
	require.Equal(t, errs.Duplicate, errs.KindOf(err))
	require.Equal(t, "unable to update custodial user: duplicate: email address is already taken",
		errs.Public(fmt.Errorf("unable to update custodial user: %w", err)))

	for _, status := range []int{http.StatusCreated, http.StatusNoContent, http.StatusNotFound} {
		n.stand.Fail("PUT /user/", standin.Fault{Status: status})
		require.Equal(t, errs.BlandText, errs.Public(n.users.UpdateUser(t.Context(), aUser, "")), status)
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	n := start(t, setting{})
	n.stand.AddProfile(aUser, map[string]any{
		"fullName": "Jill", "unknown": true,
		"patient": map[string]any{
			"fullName": "Jill J", "birthday": "2001-02-03", "mrn": "7", "targetDevices": []string{"dexcom"}, "email": anEmail,
		},
	})
	profile, err := n.profiles.Profile(t.Context(), aUser)
	require.NoError(t, err)
	require.Equal(t, platform.Profile{FullName: "Jill", Patient: &platform.PatientProfile{
		FullName: "Jill J", Birthday: "2001-02-03", MRN: "7", TargetDevices: []string{"dexcom"}, Email: anEmail,
	}}, profile)
	call := n.only(t)
	require.Equal(t, "GET /1234567890/profile", call.String())
	require.NotEmpty(t, call.Header.Get("x-tidepool-session-token"))

	n.stand.AddProfile("other", map[string]any{"fullName": "Jo"})
	profile, err = n.profiles.Profile(t.Context(), "other")
	require.NoError(t, err)
	require.Equal(t, platform.Profile{FullName: "Jo"}, profile)

	profile, err = n.profiles.Profile(t.Context(), "nobody")
	require.NoError(t, err)
	require.Equal(t, platform.Profile{}, profile)

	n.stand.Fail("GET /other/profile", standin.Fault{Body: `{"patient":{"targetDevices":"dexcom"}}`})
	_, err = n.profiles.Profile(t.Context(), "other")
	require.ErrorContains(t, err, `member "patient.targetDevices" of the answer has a wrong type`)
	require.Equal(t, errs.BlandText, errs.Public(err))
}
