// Package faults breaks things. Its tests cut the connection to the database at every write of every operation that writes
// more than one document, kill the service there, and let each neighbour fail, hang and answer garbage. Then they repeat the
// call and look at what is stored: nothing may be lost, nothing may be there twice.
//
// operations lists the operations, and what each does if it is cut off. docs/multi-document-writes.md tells the same to
// readers.
package faults
