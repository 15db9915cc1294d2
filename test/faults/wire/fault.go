package wire

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Kind is how a write goes wrong.
type Kind string

const (
	// Lost cuts the connection before the database learns of the write.
	Lost Kind = "lost"
	// Unanswered cuts the connection after the database has carried out the write.
	Unanswered Kind = "unanswered"
	// Halved lets the database carry out the first half of the statements of the write and cuts the connection. A write of
	// one statement is lost.
	Halved Kind = "halved"
	// Down is Lost, and from then on the database refuses everything until Heal. For what is stored, this is the same as
	// the death of the service.
	Down Kind = "down"
	// Refused answers the write with Answer, and the database does not learn of it. The transaction of which it is part is
	// aborted, as by any error.
	Refused Kind = "refused"
	// Denied lets the database carry out the write, and answers it with Answer.
	Denied Kind = "denied"
	// Contended lets another client make the same write first, in a transaction that is not committed, so that the database itself
	// answers with a conflict. If it sees none, as with a write that finds nothing to change, this is as Refused.
	Contended Kind = "contended"
)

// Fault is what goes wrong, once.
type Fault struct {
	// Write is the number of the write that goes wrong, counted from 1 from the moment the fault is armed.
	Write int
	Kind  Kind
	// Answer is what a write is answered with that is Refused, Denied, or Contended in vain.
	Answer bson.D
	// Reached is called at the moment of the fault, before the connection is cut. It may be nil.
	Reached func()
	// Delay passes before every write is carried out, the faulty one included.
	Delay time.Duration
	// Counts tells which commands are counted. Nil counts writes.
	Counts func(Command) bool
}

func (f *Fault) counts(command Command) bool {
	if f.Counts == nil {
		return command.IsWrite()
	}
	return f.Counts(command)
}

// TransientError is what a database answers if a transaction should be tried again.
func TransientError() bson.D {
	return bson.D{
		{Key: "ok", Value: 0.0}, {Key: "code", Value: 112}, {Key: "codeName", Value: "WriteConflict"},
		{Key: "errmsg", Value: "another transaction came first"},
		{Key: "errorLabels", Value: bson.A{"TransientTransactionError"}},
	}
}

// LastingError is what a database answers if there is no point in trying again.
func LastingError() bson.D {
	return bson.D{
		{Key: "ok", Value: 0.0}, {Key: "code", Value: 8}, {Key: "codeName", Value: "UnknownError"},
		{Key: "errmsg", Value: "the disk is full"},
	}
}

// UnknownOutcome is what a database answers if a commit did not reach the majority in time: it may still do so, or be undone.
func UnknownOutcome() bson.D {
	return bson.D{
		{Key: "ok", Value: 1.0},
		{Key: "writeConcernError", Value: bson.D{
			{Key: "code", Value: 64}, {Key: "codeName", Value: "WriteConcernFailed"}, {Key: "errmsg", Value: "no majority so far"},
		}},
		{Key: "errorLabels", Value: bson.A{"UnknownTransactionCommitResult"}},
	}
}
