package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Conflicted reports whether the database itself answered a Contended write with a conflict.
func (p *Proxy) Conflicted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conflict
}

// contend lets the database answer while another client has made the same write.
func (p *Proxy) contend(server net.Conn, asked message, command Command, otherwise bson.D) (message, error) {
	first, err := overtake(p.target, command)
	if err != nil {
		return nil, err
	}
	defer first.giveUp()
	if first.wrote {
		said, err := p.forward(server, asked, command)
		if err != nil || isConflict(said) {
			p.mu.Lock()
			p.conflict = err == nil
			p.mu.Unlock()
			return said, err
		}
	}
	return p.refuse(server, asked, command, otherwise)
}

// rival is a client that made a write in a transaction of its own.
type rival struct {
	connection net.Conn
	command    Command
	wrote      bool // whether it changed something
}

// overtake makes the write of a command before whoever sent it.
func overtake(target string, command Command) (*rival, error) {
	body, err := without(command.Body, "lsid", "txnNumber", "autocommit", "startTransaction", "readConcern", "writeConcern", "$clusterTime")
	if err != nil {
		return nil, err
	}
	session := make([]byte, 16)
	_, _ = rand.Read(session) // never fails
	encoded, err := bson.Marshal(append(body,
		bson.E{Key: "lsid", Value: bson.D{{Key: "id", Value: bson.Binary{Subtype: bson.TypeBinaryUUID, Data: session}}}},
		bson.E{Key: "txnNumber", Value: int64(1)}, bson.E{Key: "startTransaction", Value: true}, bson.E{Key: "autocommit", Value: false},
	))
	if err != nil {
		return nil, err
	}
	asked, err := request(1, bson.Raw(encoded))
	if err != nil {
		return nil, err
	}
	connection, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", target)
	if err != nil {
		return nil, err
	}
	said, err := ask(connection, asked)
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return &rival{connection, Command{Name: command.Name, Body: encoded}, changed(said)}, nil
}

// giveUp takes the write back.
func (r *rival) giveUp() {
	_ = abort(r.connection, r.command) // the database does it by itself in the end
	_ = r.connection.Close()
}

// changed reports whether an answer says that something was written.
func changed(said message) bool {
	document, err := said.document()
	if err != nil {
		return false
	}
	if errs, err := document.LookupErr("writeErrors"); err == nil && errs.Type != bson.TypeNull {
		return false
	}
	n, _ := document.Lookup("n").AsInt64OK()
	found, _ := document.Lookup("lastErrorObject", "n").AsInt64OK()
	return n+found > 0
}

func isConflict(said message) bool {
	document, err := said.document()
	if err != nil {
		return false
	}
	labels, _ := document.Lookup("errorLabels").ArrayOK()
	values, _ := labels.Values()
	return slices.ContainsFunc(values, func(v bson.RawValue) bool { return v.StringValue() == "TransientTransactionError" })
}
