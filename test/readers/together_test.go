package readers_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
)

// reference writes as the reference service does while it works on the same database: it knows nothing of the census.
type reference struct {
	scene

	tag, site bson.ObjectID
}

// beside sets the stage: a clinic with a tag, a site and one patient, all made by this service.
func beside(t *testing.T) reference {
	t.Helper()
	s := scene{App: testkit.Start(t), t: t}
	s.clinic, _ = s.NewClinic(t)
	s.ok(http.MethodPost, "/patient_tags", object{"name": "Tag"})
	s.ok(http.MethodPost, "/sites", object{"name": "Site"})
	clinic := s.get(testkit.Service, "/v1/clinics/"+s.clinic).Object(t)
	r := reference{
		scene: s, tag: objectID(t, clinic["patientTags"].([]any)[0].(object)["id"].(string)),
		site: objectID(t, clinic["sites"].([]any)[0].(object)["id"].(string)),
	}
	s.NewPatient(t, s.clinic, "Bea Ours", object{"tags": []string{r.tag.Hex()}, "sites": []any{object{"id": r.site.Hex(), "name": "Site"}}})
	require.Equal(t, []float64{1, 1, 1}, r.numbers())
	return r
}

// insert adds a patient, without refreshing any number.
func (r *reference) insert(name string) string {
	r.t.Helper()
	id, now := testkit.NewUserID(), time.Now()
	_, err := r.Store.Collection("patients").InsertOne(r.t.Context(), bson.M{
		"clinicId": objectID(r.t, r.clinic), "userId": id, "fullName": name, "birthDate": "1990-05-06", "email": nil, "mrn": nil, "targetDevices": nil,
		"requireUniqueMrn": false, "permissions": bson.M{"view": bson.M{}}, "createdTime": now, "updatedTime": now,
		"tags": bson.A{r.tag}, "sites": bson.A{bson.M{"id": r.site, "name": "Site", "patients": 1}},
	})
	require.NoError(r.t, err)
	return id
}

// refresh counts the patients and stores the number, which bumps the time of the clinic.
func (r *reference) refresh() {
	r.t.Helper()
	n, err := r.Store.Collection("patients").CountDocuments(r.t.Context(), bson.M{"clinicId": objectID(r.t, r.clinic)})
	require.NoError(r.t, err)
	r.set("clinics", bson.M{"_id": objectID(r.t, r.clinic)}, bson.M{"patientCount": bson.M{"total": int32(n), "demo": int32(0), "plan": int32(n)}, "updatedTime": time.Now()})
}

func (r *reference) set(collection string, filter, fields bson.M) {
	r.t.Helper()
	result, err := r.Store.Collection(collection).UpdateOne(r.t.Context(), filter, bson.M{"$set": fields})
	require.NoError(r.t, err)
	require.EqualValues(r.t, 1, result.MatchedCount)
}

// numbers returns how many patients the clinic shows in all, with the tag, and at the site.
func (r *reference) numbers() []float64 {
	r.t.Helper()
	clinic := r.get(testkit.Service, "/v1/clinics/"+r.clinic).Object(r.t)
	number := func(list string) float64 {
		n, _ := clinic[list].([]any)[0].(object)["numPatients"].(float64)
		return n
	}
	total := r.get(testkit.Service, "/v1/clinics/"+r.clinic+"/patient_count").Object(r.t)["total"].(float64)
	return []float64{total, number("patientTags"), number("sites")}
}

// age makes the numbers of the clinic older than those that are believed.
func (r *reference) age() {
	r.t.Helper()
	r.set("patient_census", bson.M{"_id": objectID(r.t, r.clinic)}, bson.M{"countedTime": time.Now().Add(-16 * time.Minute)})
}

func (r *reference) becomes(want ...float64) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		found := r.numbers()
		return found[0] == want[0] && found[1] == want[1] && found[2] == want[2]
	}, 20*time.Second, 50*time.Millisecond)
}

// TestListsAreRightBesideTheReference: lists, filters, orders and single records come from the patients themselves, so they are
// right at once.
func TestListsAreRightBesideTheReference(t *testing.T) {
	t.Parallel()
	r := beside(t)
	ours := r.ids("")[0]
	last, first := r.insert("Cleo Theirs"), r.insert("Abe Theirs")
	r.refresh()
	require.Equal(t, []string{first, ours, last}, r.ids("sort=%2BfullName"))
	require.Equal(t, []string{last, ours, first}, r.ids("sort=-fullName&tags="+r.tag.Hex()+"&sites="+r.site.Hex()))
	r.set("patients", bson.M{"userId": first}, bson.M{"fullName": "Zoe Theirs", "tags": bson.A{}, "updatedTime": time.Now()})
	require.Equal(t, []string{ours, last, first}, r.ids("sort=%2BfullName"))
	require.Equal(t, []string{first}, r.ids("search=zoe"))
	require.Equal(t, []string{first}, r.ids("tags=_"))
	_, err := r.Store.Collection("patients").DeleteOne(t.Context(), bson.M{"userId": last})
	require.NoError(t, err)
	require.Equal(t, []string{ours, first}, r.ids("sort=%2BfullName"))
	r.refresh() // which it does after each removal; else the number would be right after three seconds
	page := r.get(testkit.Service, "/v1/clinics/"+r.clinic+"/patients").Object(t)
	require.InDelta(t, 2, page["meta"].(object)["count"], 0)
}

// TestCountsAreMendedBesideTheReference: the total is what the reference stored last, and this service adds to it. The numbers
// by tag and site, and a total that two writers made wrong, are counted anew when they are 15 minutes old, or when asked.
func TestCountsAreMendedBesideTheReference(t *testing.T) {
	t.Parallel()
	t.Run("by their age", func(t *testing.T) {
		t.Parallel()
		r := beside(t)
		r.insert("Abe Theirs")
		r.refresh()
		require.Equal(t, []float64{2, 1, 1}, r.numbers(), "the total at once, the others not yet")
		r.NewPatient(t, r.clinic, "Cleo Ours", nil)
		require.Equal(t, []float64{3, 1, 1}, r.numbers(), "added to what the reference stored")
		r.age()
		r.becomes(3, 2, 2)
	})
	t.Run("when asked", func(t *testing.T) {
		t.Parallel()
		r := beside(t)
		r.insert("Abe Theirs")
		require.Equal(t, []float64{1, 1, 1}, r.numbers())
		r.Call(t, testkit.Service, http.MethodPost, "/v1/clinics/"+r.clinic+"/patient_count/refresh", nil).OK(t, http.StatusOK)
		require.Equal(t, []float64{2, 2, 2}, r.numbers())
	})
	t.Run("a number that the reference counted before our patient", func(t *testing.T) {
		t.Parallel()
		r := beside(t)
		r.NewPatient(t, r.clinic, "Cleo Ours", nil)
		r.set("clinics", bson.M{"_id": objectID(t, r.clinic)}, bson.M{"patientCount": bson.M{"total": int32(1), "demo": int32(0), "plan": int32(1)}})
		require.Equal(t, []float64{1, 1, 1}, r.numbers())
		r.age()
		r.becomes(2, 1, 1)
	})
	t.Run("patients that the reference removed", func(t *testing.T) {
		t.Parallel()
		r := beside(t)
		_, err := r.Store.Collection("patients").DeleteMany(t.Context(), bson.M{"clinicId": objectID(t, r.clinic)})
		require.NoError(t, err)
		r.refresh()
		r.age()
		r.becomes(0, 0, 0)
	})
}

// TestUpdatesMeetThoseOfTheReference: both change one patient and one clinic at the same time. Neither undoes what the other
// did to other fields, and updatedTime never keeps an update of ours from coming through.
func TestUpdatesMeetThoseOfTheReference(t *testing.T) {
	t.Parallel()
	r := beside(t)
	id := r.insert("Abe Theirs")
	stop := make(chan struct{})
	var theirs sync.WaitGroup
	end := sync.OnceFunc(func() { close(stop); theirs.Wait() })
	t.Cleanup(end)
	theirs.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(150 * time.Millisecond): // an update of ours takes less, also on a busy machine
				_, err := r.Store.Collection("patients").UpdateOne(t.Context(), bson.M{"userId": id}, bson.M{"$set": bson.M{"lastUploadReminderTime": time.Now(), "updatedTime": time.Now()}})
				if err != nil && t.Context().Err() == nil {
					t.Error(err)
				}
			}
		}
	})
	for i := range 20 {
		name := "Name " + string(rune('A'+i))
		r.ok(http.MethodPut, "/patients/"+id, object{"fullName": name, "birthDate": "1990-05-06", "tags": []string{r.tag.Hex()}})
		require.Equal(t, name, r.stored("patients", bson.M{"userId": id})["fullName"])
		r.ok(http.MethodPut, "", object{"name": name, "preferredBgUnits": "mg/dL"})
	}
	end()
	require.Contains(t, r.stored("patients", bson.M{"userId": id}), "lastUploadReminderTime")
	require.Equal(t, "Name T", r.stored("clinics", bson.M{"_id": objectID(t, r.clinic)})["name"])
}
