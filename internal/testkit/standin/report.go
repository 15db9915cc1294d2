package standin

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// reportLines are the query parameters that the sample report shows, with what they are called there.
var reportLines = []struct{ parameter, label string }{
	{"fullName", "Name"},
	{"dob", "Date of birth"},
	{"mrn", "MRN"},
	{"startDate", "From"},
	{"endDate", "Until"},
	{"tzName", "Time zone"},
	{"bgUnits", "Units"},
}

// exportReport plays the export service: a report as PDF for whoever has a restricted token of the user.
func (s *Standin) exportReport(w http.ResponseWriter, in incoming) {
	// The viewer may come from another origin, as it does when the service is opened directly.
	w.Header().Set("Access-Control-Allow-Origin", "*")
	query := in.URL.Query()
	s.mu.Lock()
	token, ok := s.world.RestrictedTokens[query.Get("restricted_token")]
	s.mu.Unlock()
	if !ok || token.UserID != in.segments[2] || !token.ExpirationTime.After(s.options.Now()) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	lines := []string{"Diabetes report (sample)", ""}
	for _, line := range reportLines {
		if value := query.Get(line.parameter); value != "" {
			lines = append(lines, line.label+": "+value)
		}
	}
	w.Header().Set("Content-Type", "application/pdf")
	_, _ = w.Write(samplePDF(lines)) // the caller has gone, and nobody is left to be told
}

// samplePDF returns a document with one page in letter format that shows the lines and a chart-like curve.
func samplePDF(lines []string) []byte {
	content := pageContent(lines)
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R" +
			" /Resources << /Font << /F1 4 0 R >> >> >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
	}
	var pdf bytes.Buffer
	pdf.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n") // the second line marks the file as binary
	offsets := make([]int, len(objects))
	for i, object := range objects {
		offsets[i] = pdf.Len()
		fmt.Fprintf(&pdf, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	table := pdf.Len()
	fmt.Fprintf(&pdf, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&pdf, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&pdf, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return pdf.Bytes()
}

func pageContent(lines []string) string {
	var content strings.Builder
	content.WriteString("BT /F1 16 Tf 22 TL 72 720 Td\n")
	for _, line := range lines {
		fmt.Fprintf(&content, "(%s) Tj T*\n", pdfText(line))
	}
	content.WriteString("ET\n")
	// The target range as a green band, and one day's glucose as a blue curve across it.
	content.WriteString("0.85 0.95 0.85 rg 72 240 468 110 re f\n")
	content.WriteString("0.2 0.3 0.8 RG 2 w 72 280 m 190 430 250 200 340 300 c 400 370 470 330 540 270 c S")
	return content.String()
}

// pdfText escapes a string for a PDF literal in the page's encoding, which is close to Latin-1.
func pdfText(text string) string {
	var literal strings.Builder
	for _, r := range text {
		switch {
		case r == '(' || r == ')' || r == '\\':
			literal.WriteByte('\\')
			literal.WriteByte(byte(r))
		case r >= 0x20 && r < 0x7f:
			literal.WriteByte(byte(r))
		case r >= 0xa0 && r <= 0xff:
			fmt.Fprintf(&literal, "\\%03o", r)
		default:
			literal.WriteByte('?')
		}
	}
	return literal.String()
}
