// Package wire stands between the service and its database, in tests. It understands as much of the MongoDB wire protocol
// as it takes to count writes, to cut a connection at a certain one, to record what was sent, and to end the transactions that
// a dead service left open.
//
// It must not know what the documents mean. Production code must not import it.
package wire
