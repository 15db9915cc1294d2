// Package faults breaks things. Its tests cut the connection to the database at every write of every operation that writes
// more than one document, kill the service there, and let each neighbour fail, hang and answer garbage. Then they repeat the
// call and look at what is stored: nothing may be lost, nothing may be there twice.
//
// TestTransactions does the same on a database that has transactions, where the errors, conflicts and lost commits come on top,
// and where change events tell what others see.
//
// operations lists the operations, and what each does if it is cut off. docs/multi-document-writes.md tells the same to
// readers.
package faults
