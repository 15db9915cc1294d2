package clinics_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/store"
)

// insertClinic stores a clinic with just these fields and returns its id.
func insertClinic(t *testing.T, d *store.Database, fields bson.M) bson.ObjectID {
	t.Helper()
	id := bson.NewObjectID()
	document := bson.M{"_id": id, "shareCodes": bson.A{id.Hex()}, "canonicalShareCode": id.Hex()}
	for name, value := range fields {
		document[name] = value
	}
	_, err := d.Collection(clinics.CollectionName).InsertOne(t.Context(), document)
	require.NoError(t, err)
	return id
}

func storedClinic(t *testing.T, d *store.Database, id bson.ObjectID) bson.M {
	t.Helper()
	documents := testkit.Documents(t, d, clinics.CollectionName, bson.M{"_id": id})
	require.Len(t, documents, 1)
	return documents[0]
}

func TestAdminsAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	service := clinics.NewService(d, nil)
	const ann, bob = "aaaaaaaaaa", "bbbbbbbbbb"
	add := func(id bson.ObjectID) error { return service.AddAdmin(t.Context(), id, ann) }
	ensure := func(id bson.ObjectID) error { return service.EnsureAdmin(t.Context(), id, ann) }
	remove := func(id bson.ObjectID) error { return service.RemoveAdmin(t.Context(), id, ann) }
	forget := func(id bson.ObjectID) error { return service.ForgetAdmin(t.Context(), id, ann) }
	absent := any("absent")
	for name, test := range map[string]struct {
		call    func(bson.ObjectID) error
		stored  any
		want    any
		err     error
		touches bool
	}{
		"add the second":         {add, bson.A{bob}, bson.A{bob, ann}, nil, true},
		"add again":              {add, bson.A{ann, bob}, bson.A{ann, bob}, nil, true},
		"add to none":            {add, bson.A{}, bson.A{ann}, nil, true},
		"add to null":            {add, nil, bson.A{ann}, nil, true},
		"add to an absent list":  {add, absent, bson.A{ann}, nil, true},
		"ensure who is missing":  {ensure, bson.A{bob}, bson.A{bob, ann}, nil, true},
		"ensure who is there":    {ensure, bson.A{ann}, bson.A{ann}, nil, false},
		"remove one of two":      {remove, bson.A{ann, bob}, bson.A{bob}, nil, true},
		"remove all occurrences": {remove, bson.A{ann, bob, ann}, bson.A{bob}, nil, true},
		"remove the last":        {remove, bson.A{ann}, bson.A{ann}, clinics.ErrLastAdmin, false},
		"remove the last twice":  {remove, bson.A{ann, ann}, bson.A{ann, ann}, clinics.ErrLastAdmin, false},
		"remove another's":       {remove, bson.A{bob}, bson.A{bob}, nil, true},
		"remove from none":       {remove, bson.A{}, bson.A{}, nil, true},
		"remove from null":       {remove, nil, nil, nil, true},
		"remove from absent":     {remove, absent, absent, nil, true},
		"forget the last":        {forget, bson.A{ann}, bson.A{}, nil, true},
		"forget a stranger":      {forget, bson.A{bob}, bson.A{bob}, nil, false},
		"forget in null":         {forget, nil, nil, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields := bson.M{"name": "Harbour", "updatedTime": bson.DateTime(1)}
			if test.stored != absent {
				fields["admins"] = test.stored
			}
			id := insertClinic(t, d, fields)
			require.ErrorIs(t, test.call(id), test.err)
			stored := storedClinic(t, d, id)
			admins, ok := stored["admins"]
			if !ok {
				admins = absent
			}
			require.Equal(t, test.want, admins)
			require.Equal(t, test.touches, stored["updatedTime"] != bson.DateTime(1))
			require.Equal(t, "Harbour", stored["name"])
		})
	}
	for _, call := range []func(bson.ObjectID) error{add, ensure, remove} {
		require.ErrorIs(t, call(bson.NewObjectID()), clinics.ErrNotFound)
	}
	require.NoError(t, forget(bson.NewObjectID()))
}

func TestOfTheLastTwoAdminsOneStays(t *testing.T) {
	t.Parallel()
	d := testkit.Database(t)
	service := clinics.NewService(d, nil)
	pair := []string{"aaaaaaaaaa", "bbbbbbbbbb"}
	for range 30 {
		id := insertClinic(t, d, bson.M{"admins": pair})
		errs := make([]error, len(pair))
		var calls sync.WaitGroup
		for i, userID := range pair {
			calls.Go(func() { errs[i] = service.RemoveAdmin(t.Context(), id, userID) })
		}
		calls.Wait()
		refused := slices.IndexFunc(errs, func(err error) bool { return err != nil })
		require.GreaterOrEqual(t, refused, 0, "one of the two is refused")
		require.ErrorIs(t, errs[refused], clinics.ErrLastAdmin)
		require.NoError(t, errs[1-refused])
		require.Equal(t, bson.A{pair[refused]}, storedClinic(t, d, id)["admins"])
	}
}
