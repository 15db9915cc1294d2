package patients

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// refusals are the codes of the database for an update whose operators do not fit the values in the document.
var refusals = []int{
	2,  // BadValue: an array operator on something else
	14, // TypeMismatch
	28, // PathNotViable: a member of something that has none
}

// lists are the fields that hold lists, as the members of providerConnectionRequests do. The others that a write is refused
// for hold documents.
var lists = []string{"reviews", "tags", "sites", "legacyClinicianIds", "dataSources"}

// withoutNulls runs a write. If the database refuses it, the fields are removed from the matching documents that hold null
// there, as older writers left it, or something that a foreign hand stored, and the write runs again.
func (s *Service) withoutNulls(ctx context.Context, filter bson.D, fields []string, write func() error) error {
	err := write()
	if err == nil || !isRefused(err) {
		return err
	}
	for _, field := range fields {
		wanted := "object"
		if slices.Contains(lists, field) || strings.HasPrefix(field, "providerConnectionRequests.") {
			wanted = "array"
		}
		isForeign := bson.E{Key: field, Value: bson.D{{Key: "$exists", Value: true}, {Key: "$not", Value: bson.D{{Key: "$type", Value: wanted}}}}}
		remove := bson.D{{Key: "$unset", Value: bson.D{{Key: field, Value: ""}}}}
		if _, err := s.collection.UpdateMany(ctx, append(slices.Clone(filter), isForeign), remove); err != nil {
			return err
		}
	}
	return write()
}

func isRefused(err error) bool {
	var refused mongo.ServerError
	return errors.As(err, &refused) && slices.ContainsFunc(refusals, refused.HasErrorCode)
}
