package api_test

import (
	"net/http"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestOnlyNewOrdersCanBeMatched(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	cancel := e.order()
	at(cancel, "Meta")["EventType"] = "Cancel"
	const unknown = "not found: couldn't find the message"
	e.match(t, e.send(t, cancel), "").Fails(t, http.StatusNotFound, unknown)
	e.match(t, bson.NewObjectID().Hex(), "").Fails(t, http.StatusNotFound, unknown)
	e.match(t, "5f", "").Fails(t, http.StatusBadRequest, "bad request: invalid documentId")
	e.match(t, strings.Repeat("z", 24), "").Fails(t, http.StatusBadRequest, "bad request: invalid documentId")
	e.match(t, strings.ToUpper(e.send(t, e.order())), "").OK(t, http.StatusOK)
}

func TestMatchRefusesBadRequestsAndUsers(t *testing.T) {
	t.Parallel()
	e := newEHR(t, nil)
	id := e.send(t, e.order())
	ref := `"messageRef":{"dataModel":"Order","eventType":"New","documentId":"` + id + `"}`
	for _, body := range []string{
		``, `{}`, `null`, `{"messageRef":null}`, `{"messageRef":{}}`, `{` + ref + `,"patients":null}`, `{` + ref + `,"patients":{}}`,
		`{` + ref + `,"patients":{"criteria":[]}}`, `{` + ref + `,"patients":{"criteria":["FOO"]}}`, `{` + ref + `,"patients":{"criteria":["mrn"]}}`,
		`{` + ref + `,"patients":{"criteria":["MRN"],"onUniqueMatch":null}}`, `{` + ref + `,"patients":{"criteria":["MRN"],"onUniqueMatch":"TOGGLE"}}`,
		`{"messageRef":{"dataModel":"Results","eventType":"New","documentId":"` + id + `"}}`,
		`{"messageRef":{"dataModel":"Order","eventType":"Cancel","documentId":"` + id + `"}}`,
	} {
		e.Call(t, testkit.Service, http.MethodPost, "/v1/redox/match", body).OK(t, http.StatusBadRequest)
	}
	e.Call(t, testkit.Service, http.MethodPost, "/v1/redox/match", nil).Fails(t, http.StatusBadRequest, "bad request: messageRef is required")
	e.Call(t, testkit.User(testkit.NewUserID()), http.MethodPost, "/v1/redox/match", `{`+ref+`}`).OK(t, http.StatusForbidden)
	e.Call(t, testkit.Nobody, http.MethodPost, "/v1/redox/match", `{`+ref+`}`).Fails(t, http.StatusBadRequest, "session token is missing")
}
