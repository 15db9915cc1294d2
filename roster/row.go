package roster

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/summary"
)

// Row is a patient as lists read it: the record without the summary, which is by far the largest part and is handed on as it
// is stored.
type Row struct {
	Patient patients.Patient // its Summary is nil
	Summary summary.Stored
	// Place is where the patient stands in a list behind a place; nil in others, and if the name has changed since it was chosen.
	Place *Place
}

// Get returns a patient to be shown, or patients.ErrNotFound.
func (s *Service) Get(ctx context.Context, clinicID bson.ObjectID, userID string) (Row, error) {
	record, err := s.collection.FindOne(ctx, bson.D{{Key: "clinicId", Value: clinicID}, {Key: "userId", Value: userID}}).Raw()
	if err != nil {
		return Row{}, store.OneOf(err, patients.ErrNotFound, nil)
	}
	return s.newRow(record)
}

// newRow reads a stored record, whose memory it shares.
func (s *Service) newRow(record bson.Raw) (Row, error) {
	elements, err := record.Elements()
	if err != nil {
		return Row{}, err
	}
	var row Row
	rest := make(bson.Raw, lengthSize, lengthSize+smallRecord)
	for _, element := range elements {
		if element.Key() == "summary" {
			row.Summary = summary.NewStored(element.Value())
			continue
		}
		rest = append(rest, element...)
	}
	rest = append(rest, 0)
	putLength(rest)
	return row, s.database.Unmarshal(rest, &row.Patient)
}

const (
	lengthSize  = 4    // bytes before the first element of a document
	smallRecord = 2000 // bytes that most records have besides the summary
)

func putLength(document bson.Raw) {
	for i, n := 0, len(document); i < lengthSize; i++ {
		document[i] = byte(n >> (8 * i)) //nolint:gosec // the lowest byte is meant
	}
}
