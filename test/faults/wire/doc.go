// Package wire stands between the service and its database, in tests. It understands as much of the MongoDB wire protocol
// as it takes to count writes, to cut a connection at a certain one, to record what was sent, and to end the transactions that
// a dead service left open.
//
// It plays no database: transactions, their rollback, conflicts between two clients and change events are those of the engine
// behind it. It answers in the place of one only where none can be made to, at a write of one's choice: an error that lasts, a
// conflict at the commit, and a commit whose outcome is not known. And it takes back at once what a dead service left
// open, for which a database takes a minute.
//
// The engine never sees a client that leaves in the middle of an operation, which one for development may not survive: the proxy
// waits for the answer and then throws it away.
//
// It must not know what the documents mean. Production code must not import it.
package wire
