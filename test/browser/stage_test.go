package browser_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/internal/testkit/standin"
)

type object = map[string]any

// stage is a patient with a report, and one address under which both the report page and the report are to be found, as
// behind the gateway in production.
type stage struct {
	*testkit.App
	gateway  *httptest.Server
	host     string
	clinicID string
	userID   string
}

const (
	deployment = "north"
	programID  = "100"
)

func newStage(t *testing.T) stage {
	t.Helper()
	var service atomic.Pointer[httputil.ReverseProxy]
	var neighbours atomic.Pointer[standin.Standin]
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/xealth/report/") {
			service.Load().ServeHTTP(w, r)
			return
		}
		neighbours.Load().ServeHTTP(w, r)
	}))
	t.Cleanup(gateway.Close)
	app := testkit.Start(t, testkit.Configure(func(c *config.Config) { c.Xealth.ApplicationURL = gateway.URL }))
	address, err := url.Parse(app.URL)
	require.NoError(t, err)
	service.Store(httputil.NewSingleHostReverseProxy(address))
	neighbours.Store(app.Standin)

	s := stage{App: app, gateway: gateway, host: strings.TrimPrefix(gateway.URL, "http://")}
	s.clinicID, _ = app.NewClinic(t)
	app.Call(t, testkit.Service, http.MethodPut, "/v1/clinics/"+s.clinicID+"/settings/ehr", object{
		"enabled": true, "provider": "xealth", "sourceId": deployment, "mrnIdType": "MRN",
		"procedureCodes":   object{"createAccountAndEnableReports": programID},
		"scheduledReports": object{"cadence": "DISABLED", "onUploadEnabled": false}, "tags": object{}, "flowsheets": object{"icode": false},
	}).OK(t, http.StatusOK)
	s.userID = app.NewPatient(t, s.clinicID, "Marta Quist", object{"mrn": "e40017", "birthDate": "1985-01-11"})["id"].(string)
	app.Standin.AddOrder(deployment, "1", s.message(object{"orderInfo": object{"deployment": deployment, "orderId": "1"}}))
	s.send(t, http.MethodPost, "notification", object{
		"eventId": "1", "eventTimeStamp": time.Now(), "eventType": "order", "eventContext": "new", "orderId": "1",
		"deployment": deployment, "programId": programID,
	})
	return s
}

func (s stage) message(extra object) object {
	extra["deployment"], extra["programId"] = deployment, programID
	extra["patientIdentity"] = object{"ids": []object{{"id": "e40017", "type": "MRN"}}}
	extra["datasets"] = object{"demographicsV1": object{
		"name": object{"given": []string{"Marta"}, "family": []string{"Quist"}}, "birthDate": "1985-01-11",
	}}
	return extra
}

func (s stage) send(t *testing.T, method, path string, body object) testkit.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/v1/xealth/"+path, bytes.NewReader(encode(t, body)))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+testkit.XealthToken)
	return s.Do(t, testkit.Nobody, request).OK(t, http.StatusOK)
}

// link returns the address that the service hands out for the report.
func (s stage) link(t *testing.T) string {
	t.Helper()
	link := s.send(t, http.MethodPut, "program", s.message(object{})).Object(t)["url"].(string)
	require.True(t, strings.HasPrefix(link, s.gateway.URL+"/v1/xealth/report/web/viewer.html?"))
	return link
}

// expiredLink returns an address whose time has passed.
func (s stage) expiredLink(t *testing.T) string {
	t.Helper()
	link, err := url.Parse(s.link(t))
	require.NoError(t, err)
	s.Standin.AddRestrictedToken(standin.RestrictedToken{
		ID: link.Query().Get("restricted_token"), UserID: s.userID,
		CreatedTime: time.Now().Add(-2 * time.Hour), ExpirationTime: time.Now().Add(-time.Hour),
	})
	return link.String()
}

// longReport returns a PDF of so many pages, each with its number as text and a dark block.
func longReport(pages int) string {
	contents := make([]string, pages)
	for i := range contents {
		contents[i] = fmt.Sprintf("BT /F1 24 Tf 72 700 Td (This is page %d) Tj ET\n0.2 0.3 0.8 rg 72 400 300 200 re f", i+1)
	}
	return report(contents)
}

// report returns a PDF with pages of these contents, which may use the fonts F1 and F2.
func report(contents []string) string {
	font := func(name string) string {
		return "<< /Type /Font /Subtype /Type1 /BaseFont /" + name + " /Encoding /WinAnsiEncoding >>"
	}
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", "", font("Helvetica"), font("Times-Roman")}
	kids := make([]string, len(contents))
	for i, content := range contents {
		page := len(objects) + 1
		kids[i] = fmt.Sprintf("%d 0 R", page)
		objects = append(objects,
			fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>", page+1),
			fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content))
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(kids))
	var pdf strings.Builder
	pdf.WriteString("%PDF-1.4\n")
	var table strings.Builder
	for i, o := range objects {
		fmt.Fprintf(&table, "%010d 00000 n \n", pdf.Len())
		fmt.Fprintf(&pdf, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := pdf.Len()
	fmt.Fprintf(&pdf, "xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table.String(), len(objects)+1, start)
	return pdf.String()
}
