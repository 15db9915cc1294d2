package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
)

func TestAReadOfWhatTheCallerHasIsNotAnsweredAgain(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	for name, of := range everythingTagged(t, w) {
		whole := w.Call(t, testkit.Service, http.MethodGet, of.path, nil).OK(t, http.StatusOK)
		tag := w.tag(t, of.path)
		require.Equal(t, tag, whole.Header.Get("ETag"), name)
		for _, known := range []string{tag, "W/" + tag, "*", `"other", ` + tag, strings.TrimSuffix(tag, `"`) + `-gzip"`} {
			same := w.with(t, testkit.Service, http.MethodGet, of.path, nil, "If-None-Match", known).OK(t, http.StatusNotModified)
			require.Empty(t, same.Body, name)
			require.Equal(t, tag, same.Header.Get("ETag"))
			require.Empty(t, same.Header.Get("Content-Type"))
		}
		require.Equal(t, whole.Body, w.with(t, testkit.Service, http.MethodGet, of.path, nil, "If-None-Match", `"other"`).OK(t, http.StatusOK).Body)
		w.behind(t, of)
		changed := w.with(t, testkit.Service, http.MethodGet, of.path, nil, "If-None-Match", tag).OK(t, http.StatusOK)
		require.NotEqual(t, tag, changed.Header.Get("ETag"), name)
		w.with(t, testkit.Service, http.MethodGet, of.path, nil, "If-None-Match", "what").
			Fails(t, http.StatusBadRequest, "If-Match and If-None-Match hold entity tags in quotes, separated by commas, or *")
	}
}

func TestAChangeOfWhatIsNotStoredAnyMoreIsRefused(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	for name, of := range everythingTagged(t, w) {
		t.Run(name, func(t *testing.T) {
			old := w.tag(t, of.path)
			w.behind(t, of)
			stored := w.Call(t, testkit.Service, http.MethodGet, of.path, nil)
			methods := []string{http.MethodPut}
			caller := testkit.Service
			if of.gone {
				methods, caller = append(methods, http.MethodDelete), w.admin
			}
			for _, method := range methods {
				refused := w.with(t, caller, method, of.path, of.change(1), "If-Match", old)
				refused.Fails(t, http.StatusPreconditionFailed, "precondition failed: this is not what is stored any more")
				require.Equal(t, "precondition_failed", refused.Object(t)["reason"])
				require.Equal(t, stored.Header.Get("ETag"), refused.Header.Get("ETag"))
				if method == http.MethodPut {
					require.Equal(t, stored.Object(t), refused.Object(t)["current"])
				} else {
					require.NotContains(t, refused.Object(t), "current")
				}
			}
			w.with(t, testkit.Service, http.MethodPut, of.path, of.change(1), "If-Match", "W/"+stored.Header.Get("ETag")).
				Fails(t, http.StatusPreconditionFailed, "precondition failed: this is not what is stored any more")
			require.Equal(t, stored.Body, w.Call(t, testkit.Service, http.MethodGet, of.path, nil).Body)
			w.with(t, testkit.Service, http.MethodPut, of.path, of.change(2), "If-Match", `"other"`, "If-Match", stored.Header.Get("ETag")).OK(t, http.StatusOK)
			require.NotEqual(t, stored.Body, w.Call(t, testkit.Service, http.MethodGet, of.path, nil).Body)
			w.with(t, testkit.Service, http.MethodPut, of.path, of.change(3), "If-Match", "*").OK(t, http.StatusOK)
			w.with(t, testkit.Service, http.MethodPut, of.path, of.change(4)).OK(t, http.StatusOK)
		})
	}
}

func TestIfMatchOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	settings := "/v1/clinics/" + w.clinicID + "/settings/mrn"
	body := map[string]any{"required": false, "unique": true}
	w.with(t, testkit.Service, http.MethodPut, settings, body, "If-Match", "*").
		Fails(t, http.StatusPreconditionFailed, "precondition failed: this is not what is stored any more")
	w.with(t, testkit.Service, http.MethodPut, unknownClinic+"/settings/mrn", body, "If-Match", "*").Fails(t, http.StatusNotFound, "clinic not found")
	w.with(t, w.admin, http.MethodDelete, w.patient(testkit.NewUserID()), nil, "If-Match", "*").Fails(t, http.StatusNotFound, "patient not found")
	w.with(t, testkit.User(testkit.NewUserID()), http.MethodPut, settings, body, "If-Match", `"x"`).Fails(t, http.StatusForbidden, notAuthorized)
	w.with(t, testkit.Service, http.MethodPut, settings, body, "If-Match", "*, x").OK(t, http.StatusBadRequest)
}

// Of callers who saw the same, exactly one gets through.
func TestTheSameIfMatchLetsOneThrough(t *testing.T) {
	t.Parallel()
	const callers = 6
	w := newWard(t, testkit.Shared(t))
	for name, of := range everythingTagged(t, w) {
		t.Run(name, func(t *testing.T) {
			if of.collection == "clinics" {
				testkit.NotOnSecantus(t, "findOneAndUpdate outside of a transaction lets two callers match the same document")
			}
			for round := range 4 {
				tag := w.tag(t, of.path)
				var mu sync.Mutex
				statuses := map[int]int{}
				var calls sync.WaitGroup
				for i := range callers {
					calls.Go(func() {
						n := callers*round + i + 1
						if name == "mrn settings" {
							n = round + 1 // there are but two
						}
						status := w.with(t, testkit.Service, http.MethodPut, of.path, of.change(n), "If-Match", tag).Status
						mu.Lock()
						defer mu.Unlock()
						statuses[status]++
					})
				}
				calls.Wait()
				require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusPreconditionFailed: callers - 1}, statuses)
			}
		})
	}
}

func TestOfAnUpdateAndADeletionOneGetsThrough(t *testing.T) {
	t.Parallel()
	app := testkit.Shared(t)
	for range 4 {
		w := newWard(t, app)
		all := everythingTagged(t, w)
		empty := newWard(t, app)
		for name, of := range map[string]tagged{
			"patient": all["patient"], "member": all["member"],
			"clinic": {path: "/v1/clinics/" + empty.clinicID, change: all["clinic"].change},
		} {
			w := w
			if name == "clinic" {
				w = empty
			}
			tag := w.tag(t, of.path)
			var put, removed testkit.Response
			var calls sync.WaitGroup
			calls.Go(func() { put = w.with(t, testkit.Service, http.MethodPut, of.path, of.change(1), "If-Match", tag) })
			calls.Go(func() { removed = w.with(t, w.admin, http.MethodDelete, of.path, nil, "If-Match", tag) })
			calls.Wait()
			through := 0
			for _, status := range []int{put.Status, removed.Status} {
				if status == http.StatusOK || status == http.StatusNoContent {
					through++
				} else {
					require.Contains(t, []int{http.StatusPreconditionFailed, http.StatusNotFound}, status, name)
				}
			}
			require.Equal(t, 1, through, "%s: %d %d", name, put.Status, removed.Status)
		}
	}
}

// What happens between the look and the write is seen by the write itself.
func TestAHeldDocumentThatChangesIsNotWritten(t *testing.T) {
	t.Parallel()
	var s struct {
		patients   *patients.Service
		clinics    *clinics.Service
		lifecycle  *clinics.Lifecycle
		clinicians *clinicians.Service
	}
	w := newWard(t, testkit.Start(t, testkit.Populate(&s.patients, &s.clinics, &s.lifecycle, &s.clinicians)))
	all := everythingTagged(t, w)
	clinic, patient, member := all["clinic"], all["patient"], all["member"]
	clinicID, userID, memberID := w.id(t), patient.key["userId"].(string), member.key["userId"].(string)

	ctx, err := s.patients.Hold(t.Context(), clinicID, userID)
	require.NoError(t, err)
	w.behind(t, patient)
	before := w.stored(t, userID)
	account, _ := w.Standin.User(userID)
	_, err = s.patients.Update(ctx, clinicID, userID, patients.Details{FullName: "Lost", BirthDate: "2000-01-01", Email: new("lost@example.com")})
	require.ErrorIs(t, err, store.ErrNotAsRead)
	require.ErrorIs(t, s.patients.Remove(ctx, clinicID, userID, nil), store.ErrNotAsRead)
	require.Equal(t, before, w.stored(t, userID))
	after, _ := w.Standin.User(userID)
	require.Equal(t, account, after)

	ctx, err = s.clinicians.Hold(t.Context(), clinicID, memberID)
	require.NoError(t, err)
	w.behind(t, member)
	stored := storedMember(t, w.App, w.clinicID, memberID)
	_, err = s.clinicians.Update(ctx, clinicID, memberID, clinicians.Change{Roles: []string{"CLINIC_ADMIN"}})
	require.ErrorIs(t, err, store.ErrNotAsRead)
	require.ErrorIs(t, s.clinicians.Delete(ctx, clinicID, memberID, nil), store.ErrNotAsRead)
	require.Equal(t, stored, storedMember(t, w.App, w.clinicID, memberID))
	require.Equal(t, bson.A{w.adminID}, storedAdmins(t, w.App, w.clinicID))

	require.NoError(t, s.patients.Remove(t.Context(), clinicID, userID, nil)) // the clinic can be deleted
	ctx, err = s.clinics.Hold(t.Context(), clinicID)
	require.NoError(t, err)
	w.behind(t, clinic)
	require.ErrorIs(t, s.clinics.SetTier(ctx, clinicID, "tier0400"), store.ErrNotAsRead)
	require.ErrorIs(t, s.lifecycle.Delete(ctx, clinicID, nil), store.ErrNotAsRead)
	w.add(t, nil) // it still takes patients
	require.Empty(t, testkit.Documents(t, w.Store, "clinic_deletions", bson.M{"clinic._id": clinicID}))
}

func TestTagsOfCompressedAnswers(t *testing.T) {
	t.Parallel()
	w := newWard(t, testkit.Shared(t))
	id := w.add(t, nil)["id"].(string)
	w.setPatient(t, id, bson.M{"$set": bson.M{"targetDevices": bson.A{strings.Repeat("a", 20000)}}})
	path := w.patient(id)
	compressed := w.with(t, w.admin, http.MethodGet, path, nil, "Accept-Encoding", "gzip").OK(t, http.StatusOK)
	require.Equal(t, "gzip", compressed.Header.Get("Content-Encoding"))
	tag := compressed.Header.Get("ETag")
	plain := w.with(t, w.admin, http.MethodGet, path, nil, "Accept-Encoding", "identity").OK(t, http.StatusOK).Header.Get("ETag")
	require.Equal(t, strings.TrimSuffix(plain, `"`)+`-gzip"`, tag)
	same := w.with(t, w.admin, http.MethodGet, path, nil, "Accept-Encoding", "gzip", "If-None-Match", tag).OK(t, http.StatusNotModified)
	require.Equal(t, tag, same.Header.Get("ETag"))
	body := map[string]any{"fullName": "Bea", "birthDate": "1999-12-31"}
	w.with(t, w.admin, http.MethodPut, path, body, "If-Match", tag).OK(t, http.StatusOK)
	w.with(t, w.admin, http.MethodPut, path, body, "If-Match", tag).OK(t, http.StatusPreconditionFailed)
}
