package store

import (
	"bytes"
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Deletions keeps a record of every document that is removed from a collection. Other services react to the records.
type Deletions struct {
	records *mongo.Collection
	source  *mongo.Collection
	key     string
	omit    func(field bson.RawElement) bool
}

// NewDeletions returns the records of documents removed from the source collection. They are kept in the collection
// <key>_deletions, with the removed document under key, without the top-level fields that omit names; nil omits none.
func NewDeletions(d *Database, source string, key string, omit func(field bson.RawElement) bool) *Deletions {
	if omit == nil {
		omit = func(bson.RawElement) bool { return false }
	}
	return &Deletions{records: d.Collection(key + "_deletions"), source: d.Collection(source), key: key, omit: omit}
}

// documentID is the field of a record that holds the id of the removed document. It is unique, so that a repeat after a
// crash finds the record instead of making a second one: a worker removes the account of a patient for each record.
// Records of older writers lack it.
const documentID = "derived.of"

// DeletionIndex returns the index that every collection of records needs.
func DeletionIndex() Index {
	return Index{
		Name: "DeletionOfDocument", Keys: Ascending(documentID), Unique: true,
		Partial: bson.D{{Key: documentID, Value: bson.D{{Key: "$exists", Value: true}}}},
	}
}

// deletionBatch bounds how many documents are in memory at once. A patient with a full summary takes some 30 KB.
const deletionBatch = 200

// Remove records and then removes every document that matches the filter, and returns how many it removed. deletedBy is
// the user who asked for it, nil if it was a backend service.
//
// The record is written first: nothing is removed without one. On an error, what was recorded last may still be there, and
// a repeat removes it without a second record.
func (r *Deletions) Remove(ctx context.Context, filter any, deletedBy *string) (int, error) {
	removed := 0
	for {
		documents, err := r.batch(ctx, filter)
		if err != nil || len(documents) == 0 {
			return removed, err
		}
		n, err := r.RemoveDocuments(ctx, documents, deletedBy)
		removed += n
		if err != nil || len(documents) < deletionBatch {
			return removed, err
		}
	}
}

func (r *Deletions) batch(ctx context.Context, filter any) ([]bson.Raw, error) {
	cursor, err := r.source.Find(ctx, filter, options.Find().SetLimit(deletionBatch))
	if err != nil {
		return nil, err
	}
	var documents []bson.Raw
	return documents, cursor.All(ctx, &documents)
}

// Record records every document that matches the filter without removing any. With it, a deletion of several documents can
// make sure that all its records are there before it removes the first. A Remove has to follow.
func (r *Deletions) Record(ctx context.Context, filter any, deletedBy *string) error {
	cursor, err := r.source.Find(ctx, filter, options.Find().SetBatchSize(deletionBatch))
	if err != nil {
		return err
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	batch := make([]bson.Raw, 0, deletionBatch)
	for cursor.Next(ctx) {
		batch = append(batch, bytes.Clone(cursor.Current))
		if len(batch) == deletionBatch {
			if err := r.RecordDocuments(ctx, batch, deletedBy); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if err := cursor.Err(); err != nil {
		return err
	}
	return r.RecordDocuments(ctx, batch, deletedBy)
}

// RemoveDocuments is Remove for documents that were read already.
func (r *Deletions) RemoveDocuments(ctx context.Context, documents []bson.Raw, deletedBy *string) (int, error) {
	if err := r.RecordDocuments(ctx, documents, deletedBy); err != nil {
		return 0, err
	}
	ids := make(bson.A, 0, len(documents))
	for _, document := range documents {
		ids = append(ids, document.Lookup("_id").ObjectID())
	}
	result, err := r.source.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
	if err != nil {
		return 0, err
	}
	return int(result.DeletedCount), nil
}

// Recorded reports whether the deletion of the document with this id is recorded, whether or not it is gone.
func (r *Deletions) Recorded(ctx context.Context, id bson.ObjectID) (bool, error) {
	n, err := r.records.CountDocuments(ctx, bson.D{{Key: documentID, Value: id}}, options.Count().SetLimit(1))
	return n > 0, err
}

// RecordDocuments is Record for documents that were read already.
func (r *Deletions) RecordDocuments(ctx context.Context, documents []bson.Raw, deletedBy *string) error {
	now := Now()
	writes := make([]mongo.WriteModel, 0, len(documents))
	for _, document := range documents {
		record, err := r.record(document, deletedBy, now)
		if err != nil {
			return err
		}
		writes = append(writes, mongo.NewUpdateOneModel().
			SetFilter(bson.D{{Key: documentID, Value: document.Lookup("_id").ObjectID()}}).
			SetUpdate(bson.D{{Key: "$setOnInsert", Value: record}}).
			SetUpsert(true))
	}
	if len(writes) == 0 {
		return nil
	}
	for attempt := 1; ; attempt++ {
		_, err := r.records.BulkWrite(ctx, writes)
		// Somebody else removes the same: the next time the record is found. A transaction is over after such an error, and runs
		// again as a whole where that may help.
		if (!IsDuplicate(err) && !IsDeadlock(err)) || mongo.SessionFromContext(ctx) != nil || attempt == recordAttempts {
			return err
		}
		if !sleep(ctx, time.Duration(attempt)*conflictPauseMin) {
			return err
		}
	}
}

// recordAttempts bounds how often records are written again because others write the same.
const recordAttempts = 10

func (r *Deletions) record(document bson.Raw, deletedBy *string, now time.Time) (bson.D, error) {
	fields, err := document.Elements()
	if err != nil {
		return nil, err
	}
	kept := make(bson.D, 0, len(fields))
	for _, field := range fields {
		if !r.omit(field) {
			kept = append(kept, bson.E{Key: field.Key(), Value: field.Value()})
		}
	}
	record := bson.D{{Key: "_id", Value: bson.NewObjectID()}, {Key: "deletedTime", Value: now}, {Key: r.key, Value: kept}}
	if deletedBy != nil {
		record = append(record, bson.E{Key: "deletedByUserId", Value: *deletedBy})
	}
	return record, nil
}
