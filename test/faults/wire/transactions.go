package wire

import (
	"context"
	"errors"
	"net"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// followTransaction remembers which transactions the database has begun, and not ended yet.
func (p *Proxy) followTransaction(command Command) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case command.Starts():
		p.begun[command.Transaction()] = command
	case command.Name == "commitTransaction" || command.Name == "abortTransaction":
		delete(p.begun, command.Transaction())
	}
}

// Expire ends the transactions that the service left open, as the database does by itself after a minute
// (transactionLifetimeLimitSeconds). Until then nobody else can write what they wrote.
func (p *Proxy) Expire() error {
	p.mu.Lock()
	left := p.begun
	p.begun = map[string]Command{}
	p.mu.Unlock()
	if len(left) == 0 {
		return nil
	}
	server, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	for _, command := range left {
		err = errors.Join(err, abort(server, command))
	}
	return err
}

// abort ends the transaction of a command. That it is unknown, because its first write was lost, is no error.
func abort(server net.Conn, command Command) error {
	asked, err := request(1, bson.D{
		{Key: "abortTransaction", Value: 1}, {Key: "lsid", Value: command.Body.Lookup("lsid")},
		{Key: "txnNumber", Value: command.Number()}, {Key: "autocommit", Value: false}, {Key: "$db", Value: "admin"},
	})
	if err != nil {
		return err
	}
	_, err = ask(server, asked)
	return err
}

// refuse answers in the place of the database. As any error does, it ends the transaction of the command there.
func (p *Proxy) refuse(server net.Conn, asked message, command Command, said bson.D) (message, error) {
	p.mu.Lock()
	_, begun := p.begun[command.Transaction()]
	delete(p.begun, command.Transaction())
	p.mu.Unlock()
	if begun {
		if err := abort(server, command); err != nil {
			return nil, err
		}
	}
	return answer(asked, said)
}
