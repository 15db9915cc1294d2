package wire

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// SetName is the name of the replica set that a database passes for.
const SetName = "rs-of-the-proxy"

// replicaSet lets a single database pass for a replica set. It takes sessions and transactions out of the commands, answers
// commit and abort itself, and carries out a retryable write that is sent twice only once.
//
// A transaction is rolled back by putting back the collections that it wrote to, as they were before its first write there.
// That is enough for a test with one client. Nobody is kept from seeing a transaction that is under way.
type replicaSet struct {
	address  string
	database *mongo.Database

	mu           sync.Mutex
	transactions map[string]map[string][]bson.Raw // what each collection held before, by transaction
	answers      map[string]bson.Raw              // to retryable writes
}

func newReplicaSet(address string, d *mongo.Database) *replicaSet {
	return &replicaSet{
		address: address, database: d,
		transactions: map[string]map[string][]bson.Raw{}, answers: map[string]bson.Raw{},
	}
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
	greeting, err := without(body, "msg", "setName", "hosts", "me", "primary", "ismaster", "isWritablePrimary", "secondary",
		"setVersion", "topologyVersion", "logicalSessionTimeoutMinutes")
	if err != nil {
		return nil, err
	}
	return answer(asked, append(greeting,
		bson.E{Key: "setName", Value: SetName}, bson.E{Key: "setVersion", Value: 1},
		bson.E{Key: "hosts", Value: bson.A{p.replicaSet.address}}, bson.E{Key: "me", Value: p.replicaSet.address},
		bson.E{Key: "primary", Value: p.replicaSet.address}, bson.E{Key: "ismaster", Value: true},
		bson.E{Key: "isWritablePrimary", Value: true}, bson.E{Key: "secondary", Value: false},
		bson.E{Key: "logicalSessionTimeoutMinutes", Value: 30}))
}

func (r *replicaSet) handle(server net.Conn, asked message, command Command) (message, error) {
	fine := bson.D{{Key: "ok", Value: 1.0}}
	switch command.Name {
	case "endSessions":
		return answer(asked, fine)
	case "commitTransaction":
		r.end(command)
		return answer(asked, fine)
	case "abortTransaction":
		if err := r.rollBack(command); err != nil {
			return nil, err
		}
		return answer(asked, fine)
	}
	retryable := command.IsWrite() && command.Number() != 0 && !command.InTransaction()
	if said, ok := r.answered(command); retryable && ok {
		return answer(asked, said)
	}
	if command.InTransaction() && command.IsWrite() {
		if err := r.remember(command); err != nil {
			return nil, err
		}
	}
	said, err := r.carryOut(server, asked, command)
	if err == nil && retryable {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.answers[command.once()] = said
	}
	if err != nil {
		return nil, err
	}
	return answer(asked, said)
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

func (r *replicaSet) answered(command Command) (bson.Raw, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	said, ok := r.answers[command.once()]
	return said, ok
}

// remember keeps what the collection of the command holds, unless the transaction wrote to it before.
func (r *replicaSet) remember(command Command) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.transactions[command.Transaction()]
	if before == nil {
		before = map[string][]bson.Raw{}
		r.transactions[command.Transaction()] = before
	}
	if _, ok := before[command.Collection]; ok {
		return nil
	}
	documents, err := r.documents(command.Collection)
	before[command.Collection] = documents
	return err
}

func (r *replicaSet) end(command Command) map[string][]bson.Raw {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.transactions[command.Transaction()]
	delete(r.transactions, command.Transaction())
	return before
}

func (r *replicaSet) rollBack(command Command) error {
	for collection, before := range r.end(command) {
		if err := r.putBack(collection, before); err != nil {
			return err
		}
	}
	return nil
}

func (r *replicaSet) putBack(collection string, before []bson.Raw) error {
	ctx := context.Background()
	now, err := r.documents(collection)
	if err != nil {
		return err
	}
	held := map[string]bson.Raw{}
	for _, document := range before {
		held[document.Lookup("_id").String()] = document
	}
	// What is new goes first: what comes back may need its place in a unique index.
	for _, document := range now {
		id := document.Lookup("_id")
		if old, ok := held[id.String()]; ok && bytes.Equal(old, document) {
			delete(held, id.String())
			continue
		}
		if _, err := r.database.Collection(collection).DeleteOne(ctx, bson.D{{Key: "_id", Value: id}}); err != nil {
			return err
		}
	}
	for _, document := range held {
		if _, err := r.database.Collection(collection).InsertOne(ctx, document); err != nil {
			return err
		}
	}
	return nil
}

func (r *replicaSet) documents(collection string) ([]bson.Raw, error) {
	cursor, err := r.database.Collection(collection).Find(context.Background(), bson.D{}, options.Find().SetBatchSize(1000))
	if err != nil {
		return nil, err
	}
	var documents []bson.Raw
	return documents, cursor.All(context.Background(), &documents)
}
