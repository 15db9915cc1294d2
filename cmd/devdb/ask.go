package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Whether a port is open says little: FerretDB listens before PostgreSQL can be used, and a new replica set listens before
// it has a primary. So real commands are sent.

// kind is what answers on a port.
type kind struct {
	name     string // mongod, secantus, documentdb
	writable bool
}

// identify asks what answers at the address. It returns an error if nothing does.
func identify(ctx context.Context, address string) (kind, error) {
	var found kind
	err := admin(ctx, address, func(ctx context.Context, db *mongo.Database) error {
		// Listing databases goes all the way down to the storage, which 'ping' does not.
		if err := db.RunCommand(ctx, bson.D{{Key: "listDatabases", Value: 1}, {Key: "nameOnly", Value: true}}).Err(); err != nil {
			return err
		}
		var hello struct {
			Set      string `bson:"setName"`
			Writable bool   `bson:"isWritablePrimary"`
		}
		if err := db.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
			return err
		}
		var build bson.M
		if err := db.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&build); err != nil {
			return err
		}
		found = kind{name: kindOf(hello.Set, build), writable: hello.Writable}
		return nil
	})
	return found, err
}

// kindOf tells engines apart by what they say of themselves.
func kindOf(set string, build bson.M) string {
	if _, ok := build["ferretdb"]; ok {
		return "documentdb"
	}
	if strings.HasPrefix(set, "secantus") {
		return "secantus"
	}
	return "mongod"
}

// fits says whether what answers is the engine that was asked for by name. In Docker is a mongod.
func (k kind) fits(engine string) bool {
	return engine == "" || engine == k.name || engine == "docker" && k.name == "mongod"
}

// writable returns nil if data can be written at the address: in a replica set without a primary it cannot.
func writable(ctx context.Context, address string) error {
	found, err := identify(ctx, address)
	if err == nil && !found.writable {
		err = errors.New("it has no primary")
	}
	return err
}

// initiate makes a replica set of one node, which transactions need. On one that was made before, the command is refused,
// and that is fine. The member goes by the address that clients use, because they are sent there.
func initiate(ctx context.Context, address string) error {
	return admin(ctx, address, func(ctx context.Context, db *mongo.Database) error {
		member := bson.D{{Key: "_id", Value: 0}, {Key: "host", Value: address}}
		set := bson.D{{Key: "_id", Value: "rs0"}, {Key: "members", Value: bson.A{member}}}
		err := db.RunCommand(ctx, bson.D{{Key: "replSetInitiate", Value: set}}).Err()
		var refused mongo.CommandError
		if errors.As(err, &refused) && refused.Name == "AlreadyInitialized" {
			return nil
		}
		return err
	})
}

func admin(ctx context.Context, address string, do func(context.Context, *mongo.Database) error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// A look at the port first: the driver would try for seconds where nothing listens.
	connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	_ = connection.Close() // it was only a look
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + address + "/?directConnection=true").
		SetServerSelectionTimeout(2 * time.Second).SetConnectTimeout(2 * time.Second))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }() // nothing is left to lose
	return do(ctx, client.Database("admin"))
}

// free returns an error if something else, whatever it is, listens on the port.
func free(ctx context.Context, port int) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is taken by something that does not answer as a database; stop it, or choose another port with CLINIC_DB_PORT", port)
	}
	if err != nil {
		return err
	}
	return listener.Close()
}
