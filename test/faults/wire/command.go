package wire

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Command is a command as the service sent it.
type Command struct {
	Name       string
	Database   string
	Collection string // "" if the command has none
	Body       bson.Raw
}

// statements names the field in which a write command carries its statements.
var statements = map[string]string{"insert": "documents", "update": "updates", "delete": "deletes"}

// writes are the commands that change documents.
var writes = []string{"insert", "update", "delete", "findAndModify", "findandmodify", "bulkWrite"}

func newCommand(body bson.Raw) (Command, error) {
	elements, err := body.Elements()
	if err != nil || len(elements) == 0 {
		return Command{}, errMalformed
	}
	c := Command{Name: elements[0].Key(), Body: body}
	c.Collection, _ = elements[0].Value().StringValueOK()
	c.Database, _ = body.Lookup("$db").StringValueOK()
	return c, nil
}

func isGreeting(command Command) bool {
	return slices.Contains([]string{"hello", "ismaster", "isMaster"}, command.Name)
}

// IsWrite reports whether the command changes documents. An aggregation does so if it ends in $merge or $out.
func (c Command) IsWrite() bool {
	if slices.Contains(writes, c.Name) {
		return true
	}
	if c.Name != "aggregate" {
		return false
	}
	pipeline := c.Body.Lookup("pipeline").String()
	return strings.Contains(pipeline, `"$merge"`) || strings.Contains(pipeline, `"$out"`)
}

// Statements returns the documents to insert, the updates or the deletes. A findAndModify is its own only statement.
func (c Command) Statements() []bson.Raw {
	field, ok := statements[c.Name]
	if !ok {
		return []bson.Raw{c.Body}
	}
	values, _ := c.Body.Lookup(field).Array().Values()
	found := make([]bson.Raw, 0, len(values))
	for _, value := range values {
		found = append(found, value.Document())
	}
	return found
}

// Session returns the id of the session in hexadecimal digits, "" if there is none.
func (c Command) Session() string {
	_, id, ok := c.Body.Lookup("lsid", "id").BinaryOK()
	if !ok {
		return ""
	}
	return hex.EncodeToString(id)
}

// Number returns the transaction number within the session, which retryable writes have too, and 0 if there is none.
func (c Command) Number() int64 {
	number, _ := c.Body.Lookup("txnNumber").AsInt64OK()
	return number
}

// InTransaction reports whether the command is sent as part of a transaction.
func (c Command) InTransaction() bool {
	automatic, ok := c.Body.Lookup("autocommit").BooleanOK()
	return ok && !automatic
}

// Starts reports whether the command begins a transaction.
func (c Command) Starts() bool {
	starts, _ := c.Body.Lookup("startTransaction").BooleanOK()
	return starts
}

// Transaction names the transaction of the command, "" if it is in none.
func (c Command) Transaction() string {
	if !c.InTransaction() {
		return ""
	}
	return c.once()
}

// once names what must happen only once however often it is sent: a transaction, or a retryable write.
func (c Command) once() string { return fmt.Sprintf("%s:%d", c.Session(), c.Number()) }

// String returns the name of the command and the collection.
func (c Command) String() string { return strings.TrimSpace(c.Name + " " + c.Collection) }

// without returns the body without some top-level fields.
func without(body bson.Raw, fields ...string) (bson.D, error) {
	elements, err := body.Elements()
	if err != nil {
		return nil, err
	}
	kept := make(bson.D, 0, len(elements))
	for _, element := range elements {
		if !slices.Contains(fields, element.Key()) {
			kept = append(kept, bson.E{Key: element.Key(), Value: element.Value()})
		}
	}
	return kept, nil
}
