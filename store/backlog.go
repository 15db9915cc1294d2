package store

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Backlog returns how many documents there are in a collection of work that is not complete, and the age of the oldest, as its
// id says; 0 without any.
func (d *Database) Backlog(ctx context.Context, collection *mongo.Collection) (documents int64, oldest time.Duration, err error) {
	if documents, err = collection.CountDocuments(ctx, bson.D{}); err != nil || documents == 0 {
		return 0, 0, err
	}
	var found struct {
		ID bson.ObjectID `bson:"_id"`
	}
	err = collection.FindOne(ctx, bson.D{}, options.FindOne().SetSort(Ascending("_id")).SetProjection(Ascending("_id"))).Decode(&found)
	if IsNotFound(err) { // completed in between
		return 0, 0, nil
	}
	return documents, max(0, time.Since(found.ID.Timestamp())), err
}
