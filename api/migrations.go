package api

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/migration"
)

// EnableNewClinicExperience makes an empty clinic for a legacy account.
func (h *Handlers) EnableNewClinicExperience(
	ctx context.Context, r gen.EnableNewClinicExperienceRequestObject,
) (gen.EnableNewClinicExperienceResponseObject, error) {
	clinic, err := h.services.Lifecycle.CreateForLegacyAccount(ctx, r.UserId)
	if err != nil {
		return nil, err
	}
	return gen.EnableNewClinicExperience200JSONResponse(clinicWire(clinic)), nil
}

// TriggerInitialMigration starts to move the legacy account that a clinic was made for. COMPAT: the body is not used.
func (h *Handlers) TriggerInitialMigration(
	ctx context.Context, r gen.TriggerInitialMigrationRequestObject,
) (gen.TriggerInitialMigrationResponseObject, error) {
	m, err := h.services.Migrations.TriggerInitial(ctx, anyObjectID(r.ClinicId))
	if err != nil {
		return nil, err
	}
	return gen.TriggerInitialMigration200JSONResponse(migrationWire(m)), nil
}

// MigrateLegacyClinicianPatients starts to move the legacy account of a member into the clinic.
func (h *Handlers) MigrateLegacyClinicianPatients(
	ctx context.Context, r gen.MigrateLegacyClinicianPatientsRequestObject,
) (gen.MigrateLegacyClinicianPatientsResponseObject, error) {
	m, err := h.services.Migrations.MigrateLegacyClinician(ctx, anyObjectID(r.ClinicId), r.Body.UserId)
	if err != nil {
		return nil, err
	}
	return gen.MigrateLegacyClinicianPatients200JSONResponse(migrationWire(m)), nil
}

// ListMigrations returns the migrations into a clinic.
func (h *Handlers) ListMigrations(ctx context.Context, r gen.ListMigrationsRequestObject) (gen.ListMigrationsResponseObject, error) {
	list, err := h.services.Migrations.List(ctx, anyObjectID(r.ClinicId))
	if err != nil {
		return nil, err
	}
	wire := make(gen.ListMigrations200JSONResponse, 0, len(list))
	for i := range list {
		wire = append(wire, migrationWire(&list[i]))
	}
	return wire, nil
}

// GetMigration returns the migration of a user into a clinic.
func (h *Handlers) GetMigration(ctx context.Context, r gen.GetMigrationRequestObject) (gen.GetMigrationResponseObject, error) {
	m, err := h.services.Migrations.Get(ctx, r.ClinicId, r.UserId)
	if err != nil {
		return nil, err
	}
	return gen.GetMigration200JSONResponse(migrationWire(m)), nil
}

// UpdateMigration notes how far a migration is.
func (h *Handlers) UpdateMigration(ctx context.Context, r gen.UpdateMigrationRequestObject) (gen.UpdateMigrationResponseObject, error) {
	m, err := h.services.Migrations.SetStatus(ctx, r.ClinicId, r.UserId, string(r.Body.Status))
	if err != nil {
		return nil, err
	}
	return gen.UpdateMigration200JSONResponse(migrationWire(m)), nil
}

// anyObjectID returns the id in a path that has no pattern in the interface document. COMPAT: a text that is no id is not
// refused there; it becomes the zero id, which belongs to nothing.
func anyObjectID(hex string) bson.ObjectID {
	id, err := bson.ObjectIDFromHex(hex)
	if err != nil {
		return bson.NilObjectID
	}
	return id
}

func migrationWire(m *migration.Migration) gen.MigrationV1 {
	wire := gen.MigrationV1{UserId: m.UserID, CreatedTime: new(m.CreatedTime.UTC()), UpdatedTime: new(m.UpdatedTime.UTC())}
	if m.Status != "" {
		wire.Status = new(gen.MigrationStatusV1(strings.ToUpper(m.Status)))
	}
	return wire
}
