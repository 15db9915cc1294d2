package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/wiremessage"
)

const (
	headerSize = 16
	// largest is more than any message of a test; a longer one means that the bytes are no message.
	largest = 64 << 20
)

var errMalformed = errors.New("not a message of the protocol")

// message is one message as it arrived, header included.
type message []byte

// readMessage returns io.EOF if the other side has ended the connection between two messages.
func readMessage(from io.Reader) (message, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(from, header); err != nil {
		return nil, err
	}
	size := int(binary.LittleEndian.Uint32(header))
	if size < headerSize || size > largest {
		return nil, fmt.Errorf("%w: %d bytes", errMalformed, size)
	}
	whole := make(message, size)
	copy(whole, header)
	_, err := io.ReadFull(from, whole[headerSize:])
	return whole, err
}

func (m message) id() int32 { return int32(binary.LittleEndian.Uint32(m[4:])) }

func (m message) opcode() wiremessage.OpCode {
	return wiremessage.OpCode(binary.LittleEndian.Uint32(m[12:]))
}

// document returns what a request asks for, or what an answer says. Statements that travel as sequences of their own are
// put into it as the arrays they stand for.
func (m message) document() (bson.Raw, error) {
	switch m.opcode() {
	case wiremessage.OpMsg:
		return m.sections()
	case wiremessage.OpQuery: // only greetings come this way
		return m.query()
	case wiremessage.OpReply:
		const fixed = 4 + 8 + 4 + 4 // flags, cursor, position, number of documents
		return firstDocument(m[headerSize:], fixed)
	default:
		return nil, fmt.Errorf("%w: %s", errMalformed, m.opcode())
	}
}

func (m message) query() (bson.Raw, error) {
	_, rest, ok := wiremessage.ReadQueryFlags(m[headerSize:])
	if !ok {
		return nil, errMalformed
	}
	_, rest, ok = wiremessage.ReadQueryFullCollectionName(rest)
	if !ok {
		return nil, errMalformed
	}
	const fixed = 4 + 4 // skip, limit
	return firstDocument(rest, fixed)
}

func firstDocument(from []byte, skip int) (bson.Raw, error) {
	if len(from) < skip+4 {
		return nil, errMalformed
	}
	from = from[skip:]
	size := binary.LittleEndian.Uint32(from)
	if int(size) > len(from) {
		return nil, errMalformed
	}
	return bson.Raw(from[:size]), bson.Raw(from[:size]).Validate()
}

func (m message) sections() (bson.Raw, error) {
	flags, rest, ok := wiremessage.ReadMsgFlags(m[headerSize:])
	if !ok {
		return nil, errMalformed
	}
	if flags&wiremessage.ChecksumPresent != 0 && len(rest) >= 4 {
		rest = rest[:len(rest)-4]
	}
	var body bson.D
	var sequences bson.D
	for len(rest) > 0 {
		kind, after, _ := wiremessage.ReadMsgSectionType(rest)
		if kind == wiremessage.DocumentSequence {
			name, documents, next, ok := wiremessage.ReadMsgSectionDocumentSequence(after)
			if !ok {
				return nil, errMalformed
			}
			statements := make(bson.A, 0, len(documents))
			for _, document := range documents {
				statements = append(statements, bson.Raw(document))
			}
			sequences, rest = append(sequences, bson.E{Key: name, Value: statements}), next
			continue
		}
		document, next, ok := wiremessage.ReadMsgSectionSingleDocument(after)
		if !ok {
			return nil, errMalformed
		}
		elements, err := bson.Raw(document).Elements()
		if err != nil {
			return nil, err
		}
		for _, element := range elements {
			body = append(body, bson.E{Key: element.Key(), Value: element.Value()})
		}
		rest = next
	}
	return bson.Marshal(append(body, sequences...))
}

// request makes a request of the modern kind.
func request(id int32, document any) (message, error) { return modern(id, 0, document) }

// answer makes the answer to a request, in the form in which the request came.
func answer(to message, document any) (message, error) {
	if to.opcode() != wiremessage.OpQuery {
		return modern(wiremessage.NextRequestID(), to.id(), document)
	}
	content, err := bson.Marshal(document)
	if err != nil {
		return nil, err
	}
	_, reply := wiremessage.AppendHeaderStart(nil, wiremessage.NextRequestID(), to.id(), wiremessage.OpReply)
	reply = wiremessage.AppendReplyFlags(reply, 0)
	reply = wiremessage.AppendReplyCursorID(reply, 0)
	reply = wiremessage.AppendReplyStartingFrom(reply, 0)
	reply = wiremessage.AppendReplyNumberReturned(reply, 1)
	return sized(append(reply, content...)), nil
}

func modern(id, to int32, document any) (message, error) {
	content, err := bson.Marshal(document)
	if err != nil {
		return nil, err
	}
	_, made := wiremessage.AppendHeaderStart(nil, id, to, wiremessage.OpMsg)
	made = wiremessage.AppendMsgFlags(made, 0)
	made = wiremessage.AppendMsgSectionType(made, wiremessage.SingleDocument)
	return sized(append(made, content...)), nil
}

func sized(m []byte) message {
	binary.LittleEndian.PutUint32(m, uint32(len(m)))
	return m
}
