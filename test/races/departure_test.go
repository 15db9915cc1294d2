package races_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

// leave asks a replica for a patient, and goes away when the account is being made.
func (a arena) leave(t *testing.T, on *testkit.Process, email string) {
	t.Helper()
	line := "POST /v1/clinics/" + a.id + "/users"
	a.Standin.Fail(line, standin.Fault{Delay: 300 * time.Millisecond, Times: 1})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	body := bytes.NewBufferString(`{"fullName":"Ann","birthDate":"2001-02-03","email":"` + email + `"}`)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, on.URL+"/v1/clinics/"+a.id+"/patients", body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("x-tidepool-session-token", string(testkit.Service))
	left := make(chan error, 1)
	go func() {
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = answer.Body.Close()
		}
		left <- err
	}()
	require.Eventually(t, func() bool { return a.Standin.Count(line) > 0 }, 10*time.Second, time.Millisecond)
	leave()
	require.ErrorIs(t, <-left, context.Canceled)
}

func TestACallerWhoLeavesLeavesAPatient(t *testing.T) {
	t.Parallel()
	eachRound(t, func(t *testing.T, a arena) {
		email := testkit.NewUserID() + "@example.com"
		a.leave(t, a.replica(0), email)
		// A browser repeats by itself, and reaches the other replica.
		answer := a.create(t, 1, map[string]any{"email": email})()
		require.Contains(t, []int{http.StatusOK, http.StatusConflict}, answer.Status, string(answer.Body))
		require.Eventually(t, func() bool { return len(a.patients(t)) == 1 }, 10*time.Second, 10*time.Millisecond)
		account, ok := a.Standin.User(email)
		require.True(t, ok)
		require.Equal(t, account.UserID, a.patients(t)[0]["userId"])
	})
}

func TestAReplicaThatIsStoppedCompletesItsPatients(t *testing.T) {
	t.Parallel()
	eachRoundOf(t, 3, func(t *testing.T, a arena) {
		email := testkit.NewUserID() + "@example.com"
		stopped := a.replicas[0].Replica(t)
		a.leave(t, stopped, email)
		require.Zero(t, stopped.Stop(t))
		require.Len(t, a.patients(t), 1)
	})
}
