package operator

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tidepool-org/clinic/app"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/patients"
)

func TestCensusCheckAndRecount(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.patient(t, "Ann", nil)
	other, _ := d.NewClinic(t)
	require.Equal(t, []string{"Looked at 2 clinics, 0 had wrong numbers, 0 could not be counted"}, d.ok(t, "census", "check", "--all"))

	id, err := bson.ObjectIDFromHex(d.clinicID)
	require.NoError(t, err)
	_, err = d.Store.Collection(clinics.CollectionName).UpdateByID(t.Context(), id, bson.M{"$set": bson.M{"patientCount.total": 5}})
	require.NoError(t, err)
	for _, command := range [][]string{{"check", "--all"}, {"check", d.clinicID}, {"recount", d.clinicID, "--dry-run"}} {
		r := d.run(t, append([]string{"census"}, command...)...)
		require.Equal(t, statusPartial, r.status, r.stderr)
		require.Contains(t, r.stdout, d.clinicID+" is off by -4\n")
	}
	require.Contains(t, d.ok(t, "census", "recount", "--all"), d.clinicID+" was off by -4, and is mended")
	d.ok(t, "census", "check", "--all")
	d.ok(t, "census", "check", other)

	require.Equal(t, statusNotFound, d.run(t, "census", "recount", bson.NewObjectID().Hex()).status)
	require.Equal(t, statusUsage, d.run(t, "census", "recount").status)
	require.Equal(t, statusUsage, d.run(t, "census", "recount", other, "--all").status)
}

func TestMergesList(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	require.Equal(t, []string{"Found 0 open merges"}, d.ok(t, "merges", "list"))
	id := bson.NewObjectID()
	source, target := bson.NewObjectID(), bson.NewObjectID()
	_, err := d.Store.Collection(merge.OpenMergesCollectionName).InsertOne(t.Context(), bson.M{
		"_id": id, "sourceId": source, "targetId": target, "clinics": bson.A{source, target}, "state": "moving", "heldUntil": time.Now(),
	})
	require.NoError(t, err)
	_, err = d.Store.Collection("open_merge_steps").InsertOne(t.Context(), bson.M{"mergeId": id, "order": 1})
	require.NoError(t, err)
	row := d.objects(t, "merges", "list")[0]
	require.Equal(t, source.Hex(), row["sourceId"])
	require.Equal(t, "moving", row["state"])
	require.Equal(t, 1.0, row["stepsLeft"])
}

// TestMergesResume finishes a merge whose process died before it had planned anything.
func TestMergesResume(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	user := d.patient(t, "Ann", nil)
	other, _ := d.NewClinic(t)
	source, err := bson.ObjectIDFromHex(d.clinicID)
	require.NoError(t, err)
	target, err := bson.ObjectIDFromHex(other)
	require.NoError(t, err)
	id := bson.NewObjectID()
	open := bson.M{"_id": id, "sourceId": source, "targetId": target, "clinics": bson.A{source, target}, "state": "planning", "heldUntil": time.Now().Add(time.Hour)}
	_, err = d.Store.Collection(merge.OpenMergesCollectionName).InsertOne(t.Context(), open)
	require.NoError(t, err)

	require.Equal(t, statusNotFound, d.run(t, "merges", "resume", bson.NewObjectID().Hex()).status)
	require.Equal(t, statusRefused, d.run(t, "merges", "resume", id.Hex()).status, "a process works on it")
	_, err = d.Store.Collection(merge.OpenMergesCollectionName).UpdateByID(t.Context(), id, bson.M{"$set": bson.M{"heldUntil": time.Now().Add(-time.Hour)}})
	require.NoError(t, err)
	require.Contains(t, d.ok(t, "merges", "resume", id.Hex(), "--dry-run")[0], "planning")
	require.Len(t, d.ok(t, "merges", "list"), 2)
	require.Contains(t, d.ok(t, "merges", "resume", id.Hex()), id.Hex()+" is complete")
	require.Equal(t, []string{"Found 0 open merges"}, d.ok(t, "merges", "list"))
	moved := testkit.Documents(t, d.Store, patients.CollectionName, bson.M{"userId": user})
	require.Len(t, moved, 1)
	require.Equal(t, target, moved[0]["clinicId"])
}

func TestDocumentsCheckNamesWhatIsOfAnUnexpectedForm(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	user := d.patient(t, "Ann", nil)
	require.Contains(t, d.ok(t, "documents", "check")[0], " 0 hold something")
	d.set(t, user, bson.M{"tags": "Sesam", "sites": bson.A{nil, 5}})
	r := d.run(t, "documents", "check")
	require.Equal(t, statusPartial, r.status)
	require.Contains(t, r.stdout, "patients "+d.stored(t)[0]["_id"].(bson.ObjectID).Hex()+" - ")
	require.NotContains(t, r.stdout+r.stderr, "Sesam")
}

func TestOrdersShow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]any{})
	id := d.order(t, "nowhere", "on", about("A", "1990-01-01"))
	require.Contains(t, d.ok(t, "orders", "show", id.Hex())[0], "unmatched")
	require.Equal(t, statusNotFound, d.run(t, "orders", "show", bson.NewObjectID().Hex()).status)
	require.Equal(t, statusNotFound, d.run(t, "orders", "show", "5f").status)
}

func TestDropUnusedKeepsWhatIsUniqueOrMayBeUsed(t *testing.T) {
	t.Parallel()
	testkit.NotOnSecantus(t, "it says of a new index that it was never used, and not since when it counts")
	d := newDesk(t, nil)
	_, err := d.Store.Collection(patients.CollectionName).Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.D{{Key: "foreign", Value: 1}}})
	require.NoError(t, err)
	require.Contains(t, strings.Join(d.ok(t, "indexes", "drop-unused"), "\n"), "foreign_1 - kept: ")
	require.Contains(t, strings.Join(d.ok(t, "indexes", "drop-unused", "--dry-run", "--without-statistics", "--unused-for", "0s"), "\n"), "Found")
	unknown, err := d.Store.UnknownIndexes(t.Context(), app.Indexes()...)
	require.NoError(t, err)
	require.Len(t, unknown, 1, "a dry run drops nothing")
	if unknown[0].Uses == nil {
		d.ok(t, "indexes", "drop-unused", "--without-statistics")
		require.Len(t, d.ok(t, "indexes", "drop-unused"), 1)
	}
}

// TestNoListOfClinicsIsCutOff stores more clinics than are read at once.
func TestNoListOfClinicsIsCutOff(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	var documents []any
	for range 2*clinicsAtOnce + 1 {
		code := bson.NewObjectID().Hex()
		documents = append(documents, bson.M{"canonicalShareCode": code, "shareCodes": bson.A{code}, "ehrSettings": bson.M{"enabled": true}})
	}
	_, err := d.Store.Collection(clinics.CollectionName).InsertMany(t.Context(), documents)
	require.NoError(t, err)
	require.Len(t, d.ok(t, "clinics", "list"), 2*clinicsAtOnce+2)
	require.Len(t, d.ok(t, "clinics", "list", "--all"), 2*clinicsAtOnce+3)
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAFullDiskIsNoticed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	var stderr bytes.Buffer
	status := run(t.Context(), []string{"clinics", "list"}, func(bool) (config.Config, error) { return d.config, nil }, fullDisk{}, &stderr)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr.String(), "no space left on device")
}

func TestErrorsSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	r := d.run(t, "clinics", "list")
	require.Equal(t, "Database: "+d.config.Store.Addresses+"/"+d.Store.Name(), strings.SplitN(r.stderr, "\n", 2)[0])

	d.config.Store.Addresses, d.config.Store.Username, d.config.Store.Password = "127.0.0.1:1", "me", "sesame"
	r = d.run(t, "clinics", "list", "--output", "json")
	require.Equal(t, statusDatabase, r.status, r.stderr)
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &object), r.stdout)
	require.Equal(t, float64(statusDatabase), object["status"])
	require.Contains(t, object["error"], "the database at 127.0.0.1:1/")
	require.NotContains(t, r.stdout+r.stderr, "sesame")
}

// TestADatabaseIsAllThatMostCommandsNeed: no secret of a neighbour is set.
func TestADatabaseIsAllThatMostCommandsNeed(t *testing.T) { // it sets the environment
	d := newDesk(t, nil)
	c := testkit.Store(d.Store.Name())
	t.Setenv("TIDEPOOL_STORE_ADDRESSES", c.Addresses)
	t.Setenv("TIDEPOOL_STORE_OPT_PARAMS", c.OptParams)
	t.Setenv("TIDEPOOL_CLINIC_DATABASE_NAME", c.Database)
	for args, status := range map[string]int{
		"clinics list": 0, "census check --all": 0, "merges list": 0, "documents check": 0, "indexes plan": 0, "orders list": 0,
		"config check": statusUsage, "patients enroll x": statusUsage,
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, status, run(t.Context(), strings.Fields(args), load, &stdout, &stderr), args+stderr.String())
	}
}
