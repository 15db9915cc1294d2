package store

import (
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// IsNotFound reports whether a read of one document found none.
func IsNotFound(err error) bool { return errors.Is(err, mongo.ErrNoDocuments) }

// IsDuplicate reports whether a write was refused by a unique index.
func IsDuplicate(err error) bool {
	if mongo.IsDuplicateKeyError(err) {
		return true
	}
	// DocumentDB answers a findAndModify so, without a code of its own.
	var command mongo.CommandError
	return errors.As(err, &command) && strings.Contains(command.Message, "violates exclusion constraint")
}

// OneOf replaces a driver error by the domain error that fits: notFound if no document was found, duplicate if a unique
// index refused. Either may be nil, and then leaves such an error as it is. Other errors, and nil, come back unchanged.
func OneOf(err, notFound, duplicate error) error {
	switch {
	case err == nil:
		return nil
	case notFound != nil && IsNotFound(err):
		return notFound
	case duplicate != nil && IsDuplicate(err):
		return duplicate
	default:
		return err
	}
}

// IsUnknownIndex reports whether a read was refused because it names an index that does not exist, or not yet.
func IsUnknownIndex(err error) bool {
	const badValue = 2
	var command mongo.CommandError
	return errors.As(err, &command) && command.Code == badValue && strings.Contains(command.Message, "hint")
}

// IsRefused reports whether the database answered that it did not make a write. After other errors, such as a connection that
// broke, it may have been made.
func IsRefused(err error) bool {
	var write mongo.WriteException
	if errors.As(err, &write) {
		return write.WriteConcernError == nil
	}
	var command mongo.CommandError
	return errors.As(err, &command) && !command.HasErrorLabel("RetryableWriteError") && !mongo.IsTimeout(err) && !mongo.IsNetworkError(err)
}

// CauseOf returns what the error of a write of many says about one of them, by its place; nil if that was written.
func CauseOf(err error, place int) error {
	var bulk mongo.BulkWriteException
	if err == nil || !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return err
	}
	for _, failure := range bulk.WriteErrors {
		if failure.Index == place {
			return failure
		}
	}
	return nil
}

// IsDeadlock reports whether DocumentDB gave a write up because another one waited for it. It can be repeated.
func IsDeadlock(err error) bool {
	return err != nil && strings.Contains(err.Error(), "deadlock detected")
}
