package store

import (
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Redact returns a text about an error without what the database said: its words repeat stored values, such as the number that
// is there twice, and those are data of patients. The code stands for them.
func Redact(err error, text string) string {
	said := map[string]int{}
	var command mongo.CommandError
	if errors.As(err, &command) {
		said[command.Message] = int(command.Code)
	}
	var write mongo.WriteException
	if errors.As(err, &write) {
		for _, e := range write.WriteErrors {
			said[e.Message] = e.Code
		}
	}
	var bulk mongo.BulkWriteException
	if errors.As(err, &bulk) {
		for _, e := range bulk.WriteErrors {
			said[e.Message] = e.Code
		}
	}
	var one mongo.BulkWriteError // see CauseOf
	if errors.As(err, &one) {
		said[one.Message] = one.Code
	}
	for message, code := range said {
		if message != "" {
			text = strings.ReplaceAll(text, message, fmt.Sprintf("the database refuses with code %d", code))
		}
	}
	return text
}
