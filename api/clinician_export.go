package api

import (
	"context"
	"iter"
	"math"
	"net/http"
	"strings"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/store"
)

// ExportClinicians answers with members and invites of a clinic as a file.
func (h *Handlers) ExportClinicians(ctx context.Context, r gen.ExportCliniciansRequestObject) (gen.ExportCliniciansResponseObject, error) {
	clinic, err := h.services.Clinics.Get(ctx, r.ClinicId)
	if err != nil {
		return nil, err
	}
	local := newLocalTime(clinic)
	start := csvStart(valueOf(r.Params.Bom), []string{"User id", "Invite id", "Name", "E-mail", "Roles", "Service account", local.title("Added")})
	members := h.services.Clinicians.List(ctx, r.ClinicId, clinicians.Filter{
		Email: (*string)(r.Params.Email), Role: r.Params.Role, Search: r.Params.Search,
	}, store.Page{Limit: math.MaxInt32})
	return clinicianExport{members: members, local: local, form: exportForm("members", mimeCSV+"; charset=utf-8", ".csv", start)}, nil
}

// clinicianExport writes members as lines.
type clinicianExport struct {
	members iter.Seq2[*clinicians.Clinician, error]
	local   localTime
	form    listForm
}

// VisitExportCliniciansResponse writes the file.
func (e clinicianExport) VisitExportCliniciansResponse(w http.ResponseWriter) error {
	return writeRows(w, e.form, e.members, func(body []byte, c *clinicians.Clinician) ([]byte, error) {
		program := ""
		if c.IsServiceAccount {
			program = "yes"
		}
		return appendCells(body, []string{
			valueOf(c.UserID), valueOf(c.InviteID), valueOf(c.Name), valueOf(c.Email), strings.Join(c.Roles, "; "), program, e.local.cell(&c.CreatedTime),
		}), nil
	})
}
