package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/config"
)

// Gateways give up after 15 seconds, and a caller who has gone cannot be told anything. So every operation ends before. The
// options of the address, such as timeoutMS, go before these times.
const (
	// operationTime bounds an operation whose context has no deadline of its own, repeats included.
	operationTime = 10 * time.Second
	// selectionTime is how long an operation waits for a server that could do it.
	selectionTime = 5 * time.Second
	// connectTime bounds making a connection, and how long a server may take to give a sign of life.
	connectTime = 3 * time.Second
)

// Database is a connected database, which knows whether it has transactions.
type Database struct {
	*mongo.Database
	transactions bool
	address      string
	server       serverClock
	misshapen    *misshapen
	registry     *bson.Registry
	log          *zap.Logger
}

// uri returns the address of the database as the driver wants it. User and password stand in it as they were given,
// because deployments percent-encode them themselves (COMPAT). The result is a secret.
func uri(c config.Store) string {
	scheme, addresses := c.Scheme, c.Addresses
	if scheme == "" {
		scheme = "mongodb"
	}
	if addresses == "" {
		addresses = "localhost"
	}
	credentials := ""
	if c.Username != "" {
		credentials = c.Username
		if c.Password != "" {
			credentials += ":" + string(c.Password)
		}
		credentials += "@"
	}
	uri := fmt.Sprintf("%s://%s%s/?ssl=%t", scheme, credentials, addresses, c.TLS)
	if c.OptParams != "" {
		uri += "&" + strings.TrimPrefix(c.OptParams, "&")
	}
	return uri
}

// Monitors are told what the driver does. Each may be nil.
type Monitors struct {
	Pool     *event.PoolMonitor
	Commands *event.CommandMonitor
}

// Address returns where the database is, and its name, without user and password.
func Address(c config.Store) string {
	addresses := c.Addresses
	if addresses == "" {
		addresses = "localhost"
	}
	return addresses + "/" + c.Database
}

// Open prepares the connection to the database without making it.
func Open(c config.Store, log *zap.Logger, monitors Monitors) (*Database, error) {
	found := newMisshapen(log)
	registry := lenientRegistry(found)
	o := options.Client().
		SetConnectTimeout(connectTime).
		SetServerSelectionTimeout(selectionTime).
		SetTimeout(operationTime).
		ApplyURI(uri(c)).
		SetPoolMonitor(monitors.Pool).
		SetMonitor(monitors.Commands).
		SetRegistry(registry).
		SetBSONOptions(&options.BSONOptions{ObjectIDAsHexString: false})
	client, err := mongo.Connect(o)
	if err != nil { // the driver's own text may repeat the password
		var lookup *net.DNSError
		if errors.As(err, &lookup) {
			return nil, fmt.Errorf("the database at %s is not known to the name service", Address(c))
		}
		return nil, errors.New("the database address is not valid")
	}
	return &Database{Database: client.Database(c.Database), address: Address(c), misshapen: found, registry: registry, log: log}, nil
}

// Connect waits until the database answers or the context ends, and finds out whether it has transactions. It returns an
// error if it has none although they are required.
func (d *Database) Connect(ctx context.Context, requireTransactions bool) error {
	if err := d.Ping(ctx); err != nil {
		return fmt.Errorf("the database at %s does not answer: %w", d.address, err)
	}
	var hello struct {
		SetName string `bson:"setName"`
		Msg     string `bson:"msg"`
	}
	if err := d.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return fmt.Errorf("the database at %s does not say what it is: %w", d.address, err)
	}
	d.transactions = hello.SetName != "" || hello.Msg == "isdbgrid"
	if d.transactions {
		return nil
	}
	if requireTransactions {
		return errors.New("the database has no transactions, but TIDEPOOL_STORE_REQUIRE_TRANSACTIONS is set")
	}
	d.log.Warn("the database has no transactions: writes that belong together are made one by one, in an order in which a crash loses nothing")
	return nil
}

// HasTransactions reports what Connect found out.
func (d *Database) HasTransactions() bool { return d.transactions }

// Address returns where the database is, and its name, without user and password.
func (d *Database) Address() string { return d.address }

// Ping asks the database for an answer.
func (d *Database) Ping(ctx context.Context) error {
	return d.Client().Ping(ctx, nil)
}

// Close ends all connections. What is still running gets until the context ends.
func (d *Database) Close(ctx context.Context) error {
	return d.Client().Disconnect(ctx)
}

// Now returns the current time as the database can hold it: in UTC, in milliseconds.
func Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
