package api

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

// objectID parses the id of a clinic, a tag or a site. The pipeline has held it against the interface document already, so
// that an error here means that the document lacks the pattern.
func objectID(hex string) (bson.ObjectID, error) {
	id, err := bson.ObjectIDFromHex(hex)
	if err != nil {
		return bson.NilObjectID, errs.BadRequestf("invalid id")
	}
	return id, nil
}

// objectIDs is objectID for a list. It keeps nil and empty apart.
func objectIDs(hexes []string) ([]bson.ObjectID, error) {
	if hexes == nil {
		return nil, nil
	}
	ids := make([]bson.ObjectID, 0, len(hexes))
	for _, hex := range hexes {
		id, err := objectID(hex)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
