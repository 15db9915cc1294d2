package store

import (
	"reflect"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/zap"
)

// reader reads a document, and counts what was left out of it.
type reader struct {
	bson.ValueReader
	leftOut int
}

// inner returns the reader that the driver made, which its own decoders read faster.
func inner(vr bson.ValueReader) bson.ValueReader {
	if r, ok := vr.(*reader); ok {
		return r.ValueReader
	}
	return vr
}

// ReadDocument implements bson.ValueReader.
func (r *reader) ReadDocument() (bson.DocumentReader, error) {
	document, err := r.ValueReader.ReadDocument()
	return elements{document, r}, err
}

// ReadArray implements bson.ValueReader.
func (r *reader) ReadArray() (bson.ArrayReader, error) {
	array, err := r.ValueReader.ReadArray()
	return items{array, r}, err
}

// of puts the reader of a value, which the driver may or may not make anew, under the same count.
func (r *reader) of(vr bson.ValueReader) *reader {
	r.ValueReader = vr
	return r
}

type elements struct {
	bson.DocumentReader
	reader *reader
}

// ReadElement implements bson.DocumentReader.
func (e elements) ReadElement() (string, bson.ValueReader, error) {
	name, vr, err := e.DocumentReader.ReadElement()
	if err != nil {
		return name, vr, err
	}
	return name, e.reader.of(vr), nil
}

type items struct {
	bson.ArrayReader
	reader *reader
}

// ReadValue implements bson.ArrayReader.
func (i items) ReadValue() (bson.ValueReader, error) {
	vr, err := i.ArrayReader.ReadValue()
	if err != nil {
		return vr, err
	}
	return i.reader.of(vr), nil
}

const (
	// reportAgain is how long a document is not logged again.
	reportAgain = time.Hour
	// maxReported bounds how many documents are remembered as logged.
	maxReported = 10_000
)

// misshapen counts documents that hold something in an unexpected form, and names them in the log.
type misshapen struct {
	log *zap.Logger

	mu     sync.Mutex
	count  int64
	values int // in all of them
	logged map[string]time.Time
}

func newMisshapen(log *zap.Logger) *misshapen {
	return &misshapen{log: log, logged: map[string]time.Time{}}
}

// report counts the document, and names it in the log, but not at each reading. Nothing of its content is told.
func (m *misshapen) report(document reflect.Value, leftOut int) {
	id := idOf(document)
	key := document.Type().String() + " " + id
	m.mu.Lock()
	m.count++
	m.values += leftOut
	if len(m.logged) >= maxReported {
		clear(m.logged)
	}
	known := time.Since(m.logged[key]) < reportAgain
	if !known {
		m.logged[key] = time.Now()
	}
	m.mu.Unlock()
	if !known {
		m.log.Warn("a document holds values of an unexpected form, which are taken as absent",
			zap.String("record", document.Type().String()), zap.String("_id", id), zap.Int("values", leftOut))
	}
}

// idOf returns the _id of a decoded document, or "unknown" if it was not read or is no id of ours.
func idOf(document reflect.Value) string {
	for i := range document.NumField() {
		name, _, _ := strings.Cut(document.Type().Field(i).Tag.Get("bson"), ",")
		if name != "_id" {
			continue
		}
		if id, ok := document.Field(i).Interface().(bson.ObjectID); ok && !id.IsZero() {
			return id.Hex()
		}
	}
	return "unknown"
}

// Misshapen returns how often a document was read that holds something in an unexpected form.
func (d *Database) Misshapen() int64 {
	d.misshapen.mu.Lock()
	defer d.misshapen.mu.Unlock()
	return d.misshapen.count
}
