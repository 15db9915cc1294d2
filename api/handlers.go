package api

import (
	"go.uber.org/fx"

	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/feed"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/migration"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/xealth"
)

// Handlers implement the operations of the interface document. Each parses its input into domain values, calls one
// service, and returns a typed answer or an error.
type Handlers struct{ services Services }

// Services are what the handlers call.
type Services struct {
	fx.In

	Clinics    *clinics.Service
	Lifecycle  *clinics.Lifecycle
	Clinicians *clinicians.Service
	Census     *census.Service
	Merge      *merge.Service
	Patients   *patients.Service
	Roster     *roster.Service
	Migrations *migration.Service
	Redox      *redox.Service

	Trail    *audit.Trail
	Partners *auth.Partners
	Cursors  *Cursors

	Events *feed.Service

	Xealth       *xealth.Service
	XealthConfig config.Xealth
}

// NewHandlers returns handlers over the services.
func NewHandlers(s Services) *Handlers { return &Handlers{services: s} }
