package api_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

func TestXealthPreorderSubmissions(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	app.Standin.AddUser(standin.User{UserID: "a400000002", Username: "taken@mail.example", Emails: []string{"taken@mail.example"}, PasswordExists: true})
	adult, child := newAdult(), newChild()
	names := func(members ...any) object { return with(object{"firstName": "Pia", "lastName": "Quist"}, members...) }
	generic, duplicate := 1, 4
	tests := map[string]struct {
		who        person
		input      any
		paragraphs int // of the refusal, 0 if it is stored
		stored     object
	}{
		"all": {adult, object{"patient": object{"email": "a@mail.example", "connectAbbott": true, "connectDexcom": true}, "tags": object{"ids": []string{"x"}}}, 0,
			object{"patient": object{"email": "a@mail.example", "connectAbbott": true, "connectDexcom": true}, "tags": object{"ids": []any{"x"}}}},
		"nothing":                  {adult, nil, 0, object{"patient": object{}}},
		"other case of keys":       {adult, object{"Patient": object{"EMAIL": "A@Mail.example"}}, 0, object{"patient": object{"email": "A@Mail.example"}}},
		"tags without ids":         {adult, object{"tags": object{"ids": []string{}}}, 0, object{"patient": object{}, "tags": object{}}},
		"no email, but boxes":      {adult, object{"patient": object{"email": "", "connectAbbott": true, "connectDexcom": true}}, 0, object{"patient": object{}}},
		"guardian in patient flow": {adult, object{"guardian": names()}, 0, object{"patient": object{}}},
		"names in patient flow":    {adult, object{"patient": names()}, 0, object{"patient": object{}}},
		"guardian":                 {child, object{"guardian": names("firstName", " Pia ")}, 0, object{"guardian": object{"firstName": " Pia ", "lastName": "Quist"}}},
		"word":                     {adult, object{"patient": object{"email": "foo"}}, generic, nil},
		"blanks":                   {adult, object{"patient": object{"email": "  "}}, generic, nil},
		"two addresses":            {adult, object{"patient": object{"email": "a@b.example, c@d.example"}}, generic, nil},
		"display name":             {adult, object{"patient": object{"email": "Foo <foo@bar.example>"}}, generic, nil},
		"taken":                    {adult, object{"patient": object{"email": "taken@mail.example"}}, duplicate, nil},
		"no guardian":              {child, object{"patient": object{"email": "a@mail.example"}}, generic, nil},
		"blank last name":          {child, object{"guardian": names("lastName", " ")}, generic, nil},
		"guardian's email taken":   {child, object{"guardian": names("email", "taken@mail.example")}, duplicate, nil},
	}
	for name, test := range tests {
		trackingID := uuid.NewString()
		answer := x.preorder(t, x.subsequent(test.who, trackingID, test.input)).OK(t, http.StatusOK)
		documents := testkit.Documents(t, x.Store, "xealth_preorder", bson.M{"dataTrackingId": trackingID})
		if test.paragraphs > 0 {
			require.Len(t, paragraphs(t, answer.Object(t)), test.paragraphs, name)
			require.Equal(t, trackingID, answer.Object(t)["dataTrackingId"], name)
			require.Empty(t, documents, name)
			continue
		}
		require.Equal(t, "{}\n", string(answer.Body), name)
		require.Len(t, documents, 1, name)
		document := documents[0]
		require.IsType(t, bson.ObjectID{}, document["_id"], name)
		require.IsType(t, bson.DateTime(0), document["createdTime"], name)
		delete(document, "_id")
		delete(document, "createdTime")
		delete(document, "dataTrackingId")
		require.Equal(t, test.stored, plain(t, document), name)
	}
}

// plain turns a stored document into what its JSON would be.
func plain(t *testing.T, document bson.M) object {
	t.Helper()
	content, err := bson.MarshalExtJSON(document, false, false)
	require.NoError(t, err)
	result := object{}
	testkit.Response{Body: content}.Into(t, &result)
	return result
}

func TestXealthRefusalEchoesTheInput(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	for _, test := range []struct {
		who         person
		input, echo object
	}{
		{newAdult(), object{"patient": object{"email": "foo", "connectAbbott": false}, "tags": object{"ids": []string{"x"}}}, object{"patient": object{"email": "foo"}, "tags": object{"ids": []any{"x"}}}},
		{newChild(), object{}, object{"guardian": object{}}},
	} {
		form := x.preorder(t, x.subsequent(test.who, uuid.NewString(), test.input)).OK(t, http.StatusOK).Object(t)
		require.Equal(t, test.echo, form["preorderFormInfo"].(object)["formData"])
	}
}

func TestXealthTrackingIDIsRequired(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	for _, message := range []object{x.subsequent(p, "", nil), with(x.subsequent(p, "", nil), "formData", nil)} {
		x.preorder(t, message).Fails(t, http.StatusBadRequest, "bad request: data tracking id is required")
	}
}

func TestXealthSubmissionReplacesAnEarlierOne(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p, trackingID := newAdult(), uuid.NewString()
	for _, email := range []string{"first@mail.example", "second@mail.example"} {
		x.preorder(t, x.subsequent(p, trackingID, object{"patient": object{"email": email}})).OK(t, http.StatusOK)
	}
	documents := testkit.Documents(t, x.Store, "xealth_preorder", bson.M{"dataTrackingId": trackingID})
	require.Len(t, documents, 1)
	require.Equal(t, object{"email": "second@mail.example"}, plain(t, documents[0])["patient"])
}

func TestXealthCanceledFormIsNotLookedAt(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	message := x.subsequent(newAdult(), uuid.NewString(), object{"patient": object{"email": "foo"}})
	message["formData"].(object)["canceled"] = true
	require.Equal(t, "{}\n", string(x.preorder(t, message).OK(t, http.StatusOK).Body))
	require.Empty(t, testkit.Documents(t, x.Store, "xealth_preorder", bson.M{"dataTrackingId": message["formData"].(object)["dataTrackingId"]}))
}

func TestXealthPatientAppearsBetweenTheSteps(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	x.NewPatient(t, x.id, "Ann Quick", object{"mrn": p.mrn, "birthDate": p.born})
	require.Equal(t, "{}\n", string(x.preorder(t, x.subsequent(p, uuid.NewString(), object{})).OK(t, http.StatusOK).Body))
	p.born = "1985-01-12"
	form := x.preorder(t, x.subsequent(p, uuid.NewString(), object{})).OK(t, http.StatusOK).Object(t)
	require.Contains(t, paragraphs(t, form)[0], "mismatch with the patient's date of birth")
}

func TestXealthUserServiceFails(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	app.Standin.Fail("GET /user/", standin.Fault{Status: http.StatusInternalServerError})
	trackingID := uuid.NewString()
	x.preorder(t, x.subsequent(newAdult(), trackingID, object{"patient": object{"email": "a@mail.example"}})).Fails(t, http.StatusInternalServerError, "Internal Server Error")
	require.Empty(t, testkit.Documents(t, x.Store, "xealth_preorder", bson.M{"dataTrackingId": trackingID}))
	x.preorder(t, x.subsequent(newAdult(), trackingID, nil)).OK(t, http.StatusOK)
	requireNotLogged(t, app, "a@mail.example")
}
