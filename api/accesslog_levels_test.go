package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/internal/testkit"
)

func TestSettingsThatAreNotThereAreNoWarning(t *testing.T) {
	t.Parallel()
	app := testkit.Start(t)
	clinicID, _ := app.NewClinic(t)
	app.Log.TakeAll()
	for _, name := range []string{"ehr", "mrn"} {
		app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/"+clinicID+"/settings/"+name, nil).OK(t, http.StatusNotFound)
	}
	require.Zero(t, app.Log.FilterLevelExact(zapcore.WarnLevel).Len())
	require.Equal(t, 2, app.Log.FilterMessage("Not set").Len(), "one line for each request")
	app.Call(t, testkit.Service, http.MethodGet, "/v1/clinics/5f85fbe6686e6bb9170ab5d0/settings/ehr", nil).OK(t, http.StatusNotFound)
	require.Equal(t, 1, app.Log.FilterLevelExact(zapcore.WarnLevel).Len(), "a clinic that does not exist is another matter")
}
