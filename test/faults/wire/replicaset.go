package wire

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// SetName is the name of the replica set that a database passes for.
const SetName = "rs-of-the-proxy"

// replicaSet lets a single database pass for a replica set. It takes sessions and transactions out of the commands, answers
// commit and abort itself, and carries out a retryable write that is sent twice only once.
//
// A transaction is rolled back by putting back the collections that it wrote to, as they were before its first write there.
// That is enough for a test with one client. Nobody is kept from seeing a transaction that is under way. As in a real
// replica set, any error of a write aborts its transaction, and what the service sends in it after that is refused.
type replicaSet struct {
	client *mongo.Client // of the database itself

	mu           sync.Mutex
	transactions map[string]*transaction
	answers      map[string]bson.Raw // to retryable writes
}

// transaction is a transaction that is under way, or was aborted before the service ended it.
type transaction struct {
	before  map[*mongo.Collection][]bson.Raw // what the collections held that it wrote to
	aborted bool
}

func newReplicaSet(client *mongo.Client) *replicaSet {
	return &replicaSet{client: client, transactions: map[string]*transaction{}, answers: map[string]bson.Raw{}}
}

// sessionFields are what a database without transactions must not see.
var sessionFields = []string{
	"lsid", "txnNumber", "startTransaction", "autocommit", "readConcern", "writeConcern", "$clusterTime", "$readPreference",
}

func isGreeting(command Command) bool {
	return slices.Contains([]string{"hello", "ismaster", "isMaster"}, command.Name)
}

// greet answers the question what kind of database this is.
func (p *Proxy) greet(server net.Conn, asked message) (message, error) {
	said, err := ask(server, asked)
	if err != nil || p.replicaSet == nil {
		return said, err
	}
	body, err := said.document()
	if err != nil {
		return nil, err
	}
	// Without a topologyVersion the driver asks now and then, rather than waiting for news on an open connection.
	greeting, err := without(body, "msg", "setName", "setVersion", "hosts", "me", "primary", "ismaster", "isWritablePrimary",
		"secondary", "topologyVersion", "logicalSessionTimeoutMinutes")
	if err != nil {
		return nil, err
	}
	address := p.Address()
	return answer(asked, append(greeting,
		bson.E{Key: "setName", Value: SetName}, bson.E{Key: "setVersion", Value: 1},
		bson.E{Key: "hosts", Value: bson.A{address}}, bson.E{Key: "me", Value: address},
		bson.E{Key: "primary", Value: address}, bson.E{Key: "ismaster", Value: true},
		bson.E{Key: "isWritablePrimary", Value: true}, bson.E{Key: "secondary", Value: false},
		bson.E{Key: "logicalSessionTimeoutMinutes", Value: 30}))
}

var fine = bson.D{{Key: "ok", Value: 1.0}}

func (r *replicaSet) handle(server net.Conn, asked message, command Command) (message, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case command.Name == "endSessions":
		return answer(asked, fine)
	case command.Name == "abortTransaction":
		err := r.rollBack(command)
		delete(r.transactions, command.Transaction())
		if err != nil {
			return nil, err
		}
		return answer(asked, fine)
	case command.InTransaction():
		return r.handleInTransaction(server, asked, command)
	case command.IsWrite() && command.Number() != 0:
		return r.handleOnce(server, asked, command)
	}
	said, err := r.carryOut(server, asked, command)
	if err != nil {
		return nil, err
	}
	return answer(asked, said)
}

func (r *replicaSet) handleOnce(server net.Conn, asked message, command Command) (message, error) {
	said, ok := r.answers[command.once()]
	if !ok {
		var err error
		if said, err = r.carryOut(server, asked, command); err != nil {
			return nil, err
		}
		r.answers[command.once()] = said
	}
	return answer(asked, said)
}

func (r *replicaSet) handleInTransaction(server net.Conn, asked message, command Command) (message, error) {
	name := command.Transaction()
	if command.Starts() {
		r.transactions[name] = &transaction{before: map[*mongo.Collection][]bson.Raw{}}
	}
	current := r.transactions[name]
	if current == nil || current.aborted {
		return answer(asked, noSuchTransaction())
	}
	if command.Name == "commitTransaction" {
		delete(r.transactions, name)
		return answer(asked, fine)
	}
	if command.IsWrite() {
		if err := r.remember(current, command); err != nil {
			return nil, err
		}
	}
	said, err := r.carryOut(server, asked, command)
	if err != nil {
		return nil, err
	}
	if isError(said) {
		if err := r.rollBack(command); err != nil {
			return nil, err
		}
	}
	return answer(asked, said)
}

func isError(said bson.Raw) bool {
	ok, _ := said.Lookup("ok").AsFloat64OK()
	_, failed := said.Lookup("writeErrors").ArrayOK()
	return ok != 1 || failed
}

func noSuchTransaction() bson.D {
	return bson.D{
		{Key: "ok", Value: 0.0}, {Key: "code", Value: 251}, {Key: "codeName", Value: "NoSuchTransaction"},
		{Key: "errmsg", Value: "the transaction was aborted"},
		{Key: "errorLabels", Value: bson.A{"TransientTransactionError"}},
	}
}

func (r *replicaSet) carryOut(server net.Conn, asked message, command Command) (bson.Raw, error) {
	plain, err := without(command.Body, sessionFields...)
	if err != nil {
		return nil, err
	}
	reduced, err := request(asked.id(), plain)
	if err != nil {
		return nil, err
	}
	said, err := ask(server, reduced)
	if err != nil {
		return nil, err
	}
	return said.document()
}

// remember keeps what the collection of the command holds, unless the transaction wrote to it before.
func (r *replicaSet) remember(current *transaction, command Command) error {
	for known := range current.before {
		if known.Name() == command.Collection {
			return nil
		}
	}
	collection := r.client.Database(command.Database).Collection(command.Collection)
	held, err := documents(collection)
	current.before[collection] = held
	return err
}

// abort rolls the transaction of the command back.
func (r *replicaSet) abort(command Command) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if command.Starts() {
		r.transactions[command.Transaction()] = &transaction{}
	}
	return r.rollBack(command)
}

func (r *replicaSet) rollBack(command Command) error {
	current := r.transactions[command.Transaction()]
	if current == nil || current.aborted {
		return nil
	}
	current.aborted = true
	for collection, before := range current.before {
		if err := putBack(collection, before); err != nil {
			return err
		}
	}
	return nil
}

func putBack(collection *mongo.Collection, before []bson.Raw) error {
	ctx := context.Background()
	now, err := documents(collection)
	if err != nil {
		return err
	}
	missing := map[string]bson.Raw{}
	for _, document := range before {
		missing[document.Lookup("_id").String()] = document
	}
	// What is new goes first: what comes back may need its place in a unique index.
	for _, document := range now {
		id := document.Lookup("_id")
		if old, ok := missing[id.String()]; ok && bytes.Equal(old, document) {
			delete(missing, id.String())
			continue
		}
		if _, err := collection.DeleteOne(ctx, bson.D{{Key: "_id", Value: id}}); err != nil {
			return err
		}
	}
	for _, document := range missing {
		if _, err := collection.InsertOne(ctx, document); err != nil {
			return err
		}
	}
	return nil
}

func documents(collection *mongo.Collection) ([]bson.Raw, error) {
	cursor, err := collection.Find(context.Background(), bson.D{})
	if err != nil {
		return nil, err
	}
	var found []bson.Raw
	return found, cursor.All(context.Background(), &found)
}
