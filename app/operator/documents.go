package operator

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/clinicians"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/merge"
	"github.com/tidepool-org/clinic/migration"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/redox"
	"github.com/tidepool-org/clinic/store"
)

// documentsProgress is how many documents are read between two reports.
const documentsProgress = 10_000

// records are the collections that are read, and what their documents are decoded into.
var records = []struct {
	collection string
	new        func() any
}{
	{clinics.CollectionName, func() any { return &clinics.Clinic{} }},
	{clinicians.CollectionName, func() any { return &clinicians.Clinician{} }},
	{patients.CollectionName, func() any { return &patients.Patient{} }},
	{migration.CollectionName, func() any { return &migration.Migration{} }},
	{redox.MessagesCollectionName, func() any { return &redox.Message{} }},
	{merge.OpenMergesCollectionName, merge.OpenForm},
}

func (t *tool) checkDocuments() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Read all documents, and list by _id those that hold something in an unexpected form; changes nothing", Args: cobra.NoArgs,
		RunE: t.connected(func(ctx context.Context, _ []string) error {
			total := documentsTotal{}
			for _, record := range records {
				if err := t.readAll(ctx, record.collection, record.new, &total); err != nil {
					return err
				}
			}
			t.output.print(total)
			if total.Bad > 0 {
				return partial("%d of %d documents hold something in an unexpected form, which the service takes as absent", total.Bad, total.Read)
			}
			return nil
		}),
	}
}

func (t *tool) readAll(ctx context.Context, collection string, into func() any, total *documentsTotal) error {
	t.output.report("Reading %s", collection)
	cursor, err := t.services.Store.Collection(collection).Find(ctx, bson.D{})
	for document, err := range store.Documents[bson.Raw](ctx, cursor, err) {
		if err != nil {
			return err
		}
		values, err := store.CountMisshapen(document, into())
		if err != nil || values > 0 {
			total.Bad++
			row := documentRow{Collection: collection, ID: idText(document), Values: values, Unreadable: err != nil}
			t.output.print(row)
		}
		if total.Read++; total.Read%documentsProgress == 0 {
			t.output.report("%d documents were read", total.Read)
		}
	}
	return nil
}

// idText returns the _id if it is an id; another one may be somebody's content.
func idText(document bson.Raw) string {
	if id, ok := document.Lookup("_id").ObjectIDOK(); ok {
		return id.Hex()
	}
	return "an _id that is no object id"
}

type documentRow struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
	Values     int    `json:"values"` // that are of an unexpected form
	Unreadable bool   `json:"unreadable"`
}

func (r documentRow) line() string {
	if r.Unreadable {
		return fmt.Sprintf("%s %s - unreadable", r.Collection, r.ID)
	}
	return fmt.Sprintf("%s %s - %d values of an unexpected form", r.Collection, r.ID, r.Values)
}

type documentsTotal struct {
	Read int `json:"read"`
	Bad  int `json:"bad"`
}

func (d documentsTotal) line() string {
	return fmt.Sprintf("Read %d documents, %d hold something in an unexpected form", d.Read, d.Bad)
}
