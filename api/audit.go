package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/auth"
)

// unchanging are operations that change nothing although their method says so.
var unchanging = map[string]bool{verifyEndpoint: true, "XealthGetPrograms": true, "XealthGetProgramUrl": true}

// exports are readings that are recorded like changes.
var exports = map[string]bool{"ExportPatients": true, "ExportClinicians": true}

// changing are the fields that operations change whose body does not name them.
var changing = map[string][]string{
	"AssignPatientTagToClinicPatients":   {"tags"},
	"DeletePatientTagFromClinicPatients": {"tags"},
	"ConvertPatientTagToSite":            {"patientTags", "sites"},
	"UpdatePatientReviews":               {"reviews"},
	"DeletePatientReviews":               {"reviews"},
	"UpdatePatientPermissions":           {"permissions"},
	"DeletePatientPermission":            {"permissions"},
	"DeletePatientSummary":               {"summary"},
	"UpdatePatientDataSources":           {"dataSources"},
	"SendUploadReminder":                 {"lastUploadReminderTime"},
	"ConnectProvider":                    {"providerConnectionRequests"},
	"RefreshPatientCount":                {"patientCount"},
}

// recordAudit records who calls what, for operations that change or export something, and for those that read a patient.
func recordAudit(trail *audit.Trail) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			operation, ok := c.Get(operationKey).(*operation)
			if !ok || unchanging[operation.id] || !trail.Changes() {
				return next(c)
			}
			if c.Request().Method == http.MethodGet && !exports[operation.id] {
				return recordReading(c, trail, operation, next)
			}
			var err error
			refused := trail.Do(c.Request().Context(), auditEntry(c, operation), func(ctx context.Context) (audit.Outcome, int) {
				c.SetRequest(c.Request().WithContext(ctx))
				err = next(c)
				return outcomeOf(c, err)
			})
			if refused != nil {
				return refused
			}
			return err
		}
	}
}

func recordReading(c echo.Context, trail *audit.Trail, operation *operation, next echo.HandlerFunc) error {
	entry := auditEntry(c, operation)
	if entry.PatientID == "" || !trail.Reads() {
		return next(c)
	}
	err := next(c)
	outcome, status := outcomeOf(c, err)
	trail.Read(entry, outcome, status)
	return err
}

// outcomeOf returns what became of a request, and the status that it is, or will be, answered with.
func outcomeOf(c echo.Context, err error) (audit.Outcome, int) {
	status := c.Response().Status
	if err != nil && !c.Response().Committed {
		status = describe(err).Code
	}
	switch {
	case status < http.StatusBadRequest:
		return audit.Done, status
	case status < http.StatusInternalServerError:
		return audit.Refused, status
	default:
		return audit.Failed, status
	}
}

// auditEntry returns what is known of a request before it is carried out.
func auditEntry(c echo.Context, operation *operation) audit.Entry {
	caller, parameters := auth.CallerFrom(c.Request().Context()), pathParameters(c)
	entry := audit.Entry{
		Operation: operation.id, RequestID: c.Response().Header().Get(echo.HeaderXRequestID),
		PatientID: parameters["patientId"], MemberID: parameters["clinicianId"], Fields: sentFields(c, operation),
	}
	if caller.Server {
		entry.Service = caller.UserID
	} else {
		entry.UserID = caller.UserID
	}
	if id, err := bson.ObjectIDFromHex(parameters["clinicId"]); err == nil {
		entry.ClinicID = &id
	}
	if strings.HasPrefix(c.Path(), "/v1/patients/") && entry.PatientID == "" {
		entry.PatientID = parameters["userId"]
	}
	return entry
}

// sentFields returns the names of the members of the body that the document knows. Others are the caller's own, and not recorded.
func sentFields(c echo.Context, operation *operation) []string {
	if fields := changing[operation.id]; fields != nil {
		return fields
	}
	body, _ := c.Get(bodyKey).(checkedBody)
	members, ok := body.value.(map[string]any)
	if !ok {
		return nil
	}
	schema := operation.body.Content.Get(echo.MIMEApplicationJSON).Schema.Value
	known := func(name string) bool { return knowsProperty(schema, name) }
	return slices.DeleteFunc(slices.Sorted(maps.Keys(members)), func(name string) bool { return !known(name) })
}

func knowsProperty(schema *openapi3.Schema, name string) bool {
	if schema.Properties[name] != nil {
		return true
	}
	return slices.ContainsFunc(slices.Concat(schema.AllOf, schema.AnyOf, schema.OneOf), func(part *openapi3.SchemaRef) bool { return knowsProperty(part.Value, name) })
}

// defaultEntries is how many entries are on a page that does not say how many.
const defaultEntries = 100

// ListAuditEntries lists the audit trail of a clinic.
func (h *Handlers) ListAuditEntries(ctx context.Context, r gen.ListAuditEntriesRequestObject) (gen.ListAuditEntriesResponseObject, error) {
	p := r.Params
	filter := audit.Filter{
		ClinicID: &r.ClinicId, PatientID: valueOf(p.PatientId), UserID: valueOf(p.UserId), Operation: valueOf(p.Operation),
		Since: valueOf(p.Since), Until: valueOf(p.Until), Before: p.Before,
	}
	page, more, err := h.services.Trail.Page(ctx, filter, valueOr(p.Limit, defaultEntries))
	if err != nil {
		return nil, err
	}
	answer := gen.ListAuditEntries200JSONResponse{Entries: make([]gen.AuditEntryV1, 0, len(page))}
	for _, entry := range page {
		answer.Entries = append(answer.Entries, auditEntryWire(entry))
	}
	if more {
		answer.Next = hexOf(&page[len(page)-1].ID)
	}
	return answer, nil
}

func auditEntryWire(e audit.Entry) gen.AuditEntryV1 {
	wire := gen.AuditEntryV1{
		Id: e.ID.Hex(), Time: e.Time.UTC(), Operation: e.Operation, Outcome: gen.AuditOutcomeV1(e.Outcome), RequestId: e.RequestID,
		UserId: unlessEmpty(e.UserID), Service: unlessEmpty(e.Service), PatientId: unlessEmpty(e.PatientID), MemberId: unlessEmpty(e.MemberID),
	}
	if e.Status != 0 {
		wire.Status = &e.Status
	}
	if e.Fields != nil {
		wire.Fields = (*[]string)(&e.Fields)
	}
	return wire
}
