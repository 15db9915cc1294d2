package api_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// blankFirst is about a person of whom the health record sends every member that can be repeated blank first.
func blankFirst(x xealthClinic, p person) object {
	telecom := []object{{"system": "email"}}
	for _, blank := range []string{"", " ", "\u200b"} {
		telecom = append(telecom, object{"system": "email", "value": blank})
	}
	return x.about(p, object{
		"datasets": object{"demographicsV1": object{
			"name":      object{"given": append([]string{"", " "}, p.given...), "family": append([]string{"", "\t"}, p.family...)},
			"birthDate": p.born,
			"telecom":   append(telecom, object{"system": "email", "value": p.email}),
		}},
	})
}

func TestXealthBlankMembersOfMessagesHideNothing(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	p.email = "ann@mail.example"
	message := blankFirst(x, p)

	form := x.preorder(t, with(message, "eventType", "preorder", "eventContext", "initial")).OK(t, http.StatusOK).Object(t)["preorderFormInfo"].(object)
	require.Equal(t, "Add FirstName First LastName Last to Tidepool", form["formSchema"].(object)["title"])
	require.Equal(t, object{"patient": object{"email": p.email}}, form["formData"])

	x.enroll(t, p, nil)
	require.Equal(t, true, x.programs(t, message)["present"])
}

func TestXealthBlankMembersOfAnOrderHideNothing(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	for name, info := range map[string]object{
		"blank":  {"deployment": " ", "orderId": ""},
		"absent": {},
	} {
		p, trackingID, id := newAdult(), uuid.NewString(), "order-"+testkit.NewUserID()
		x.preorder(t, x.subsequent(p, trackingID, nil)).OK(t, http.StatusOK)
		x.Standin.AddOrder(x.deployment, id, with(blankFirst(x, p), "orderInfo", info, "preorder", object{"dataTrackingId": trackingID}))
		x.notify(t, x.event(id, "new")).OK(t, http.StatusOK)
		require.Equal(t, "FirstName First LastName Last", x.stored(t, p)["fullName"], name)
		require.Equal(t, true, x.subscription(t, p)["active"], "%s: the event says which deployment it is", name)
	}
}

// TestXealthBlankBirthDate holds that a date has no second place from which it could be taken: a blank one is refused.
func TestXealthBlankBirthDate(t *testing.T) {
	t.Parallel()
	x := newXealthClinic(t, testkit.Shared(t), nil)
	p := newAdult()
	p.born = ""
	for step, send := range steps {
		if step != "handling new order" { // there it is an answer of Xealth that cannot be read
			require.Equal(t, http.StatusBadRequest, send(t, x, x.about(p)).Status, step)
		}
	}
}

func TestXealthBlankEHRUserIsNobody(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	x := newXealthClinic(t, app, nil)
	p := newAdult()
	x.enroll(t, p, nil)
	for _, user := range []string{"", " "} {
		x.send(t, http.MethodPut, "program", x.by(user, p)).OK(t, http.StatusOK)
		require.Contains(t, program(t, x.programs(t, x.by(user, p)))["description"], "Last Viewed by You: N/A")
	}
	require.Empty(t, testkit.Documents(t, x.Store, "xealth_report_view", bson.M{}))
	require.Empty(t, app.Log.FilterMessage("the view of a report could not be recorded").All())
}
