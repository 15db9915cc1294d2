package api

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/xealth"
	"github.com/tidepool-org/clinic/xealth/viewer"
)

const (
	viewerPath = "/v1/xealth/report/"
	viewerPage = viewerPath + "web/viewer.html"
)

// ViewPDFReport answers with the page that shows the report of a patient.
func (h *Handlers) ViewPDFReport(ctx context.Context, r gen.ViewPDFReportRequestObject) (gen.ViewPDFReportResponseObject, error) {
	if !h.services.XealthConfig.Enabled {
		return nil, auth.ErrXealthOff
	}
	address, err := h.services.Xealth.ReportURL(ctx, xealth.ReportRequest{
		ClinicID: r.Params.ClinicId, PatientUserID: r.Params.PatientId, RestrictedToken: r.Params.RestrictedToken,
	})
	if err != nil {
		return nil, err
	}
	page, err := viewer.Report(address)
	if err != nil {
		return nil, err
	}
	return reportPage{page}, nil
}

// reportPage is an answer that browsers may show wherever a health record embeds it.
type reportPage struct{ viewer.Page }

// VisitViewPDFReportResponse writes the page.
func (p reportPage) VisitViewPDFReportResponse(w http.ResponseWriter) error {
	return writePage(w, http.StatusOK, p.Page)
}

// writePage writes a page whose address or content is a secret: nobody may keep it or learn where it was.
func writePage(w http.ResponseWriter, status int, page viewer.Page) error {
	header := w.Header()
	header.Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	header.Set(echo.HeaderCacheControl, "no-store")
	header.Set(echo.HeaderReferrerPolicy, "no-referrer")
	header.Set(echo.HeaderXContentTypeOptions, "nosniff")
	header.Set(echo.HeaderContentSecurityPolicy, page.Policy)
	w.WriteHeader(status)
	_, err := w.Write(page.HTML)
	return err
}

// reportProblems are what the page says instead of the report, by status.
var reportProblems = map[int]struct{ title, text string }{
	http.StatusBadRequest: {"This link is not complete",
		"Please close this window and open the report again from the patient's chart."},
	http.StatusUnauthorized: {"This link has expired",
		"For the patient's privacy, links to reports are good for a short time only, and only while the order is active. Please close this window and open the report again from the patient's chart."},
	http.StatusNotFound: {"There is no such report",
		"The patient is not in Tidepool any more. If you did not expect that, contact support@tidepool.org."},
	http.StatusInternalServerError: {"The report could not be loaded",
		"Please try again in a few minutes. If the problem remains, contact support@tidepool.org."},
}

// writeReportProblem writes an error for a person, if there is one in front of the report page. It reports whether it did.
func writeReportProblem(c echo.Context, status int) bool {
	problem, ok := reportProblems[status]
	if !ok || c.Request().Method != http.MethodGet || c.Request().URL.Path != viewerPage ||
		!strings.Contains(c.Request().Header.Get(echo.HeaderAccept), echo.MIMETextHTML) {
		return false
	}
	page, err := viewer.Problem(problem.title, problem.text)
	if err != nil {
		return false
	}
	_ = writePage(c.Response(), status, page) // if the connection is gone, there is nobody to tell
	return true
}

// registerViewer serves the files that the report page loads. The page itself is an operation; other methods on its path
// end here and find no file of that name.
func registerViewer(e *echo.Echo) {
	e.Any(viewerPath+"*", func(c echo.Context) error {
		name, err := url.PathUnescape(c.Param("*"))
		if err != nil || c.Request().Method != http.MethodGet && c.Request().Method != http.MethodHead {
			return echo.ErrNotFound
		}
		asset := viewer.Find(name)
		if asset == nil {
			return echo.ErrNotFound
		}
		serveAsset(c.Response(), c.Request(), asset)
		return nil
	})
}

// serveAsset serves a file with what caches need to keep it. Asked for under the current version, it never changes.
func serveAsset(w http.ResponseWriter, r *http.Request, asset *viewer.Asset) {
	header := w.Header()
	header.Set(echo.HeaderContentType, asset.MediaType)
	header.Set(echo.HeaderXContentTypeOptions, "nosniff")
	header.Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
	header.Set(echo.HeaderCacheControl, "no-cache")
	if r.URL.Query().Get("v") == viewer.Version() {
		header.Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	content, tag := asset.Content, asset.Tag
	if gzipped := asset.Gzipped(); gzipped != nil && acceptsGzip(r) {
		header.Set(echo.HeaderContentEncoding, "gzip")
		content, tag = gzipped, tag+"-gzip"
	}
	header.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", asset.ModTime(), bytes.NewReader(content))
}

func acceptsGzip(r *http.Request) bool {
	for _, offer := range strings.Split(r.Header.Get(echo.HeaderAcceptEncoding), ",") {
		coding, quality, _ := strings.Cut(strings.ReplaceAll(offer, " ", ""), ";")
		if strings.EqualFold(coding, "gzip") && quality != "q=0" {
			return true
		}
	}
	return false
}
