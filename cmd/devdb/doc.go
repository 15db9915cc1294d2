// Command devdb is a database for development and tests.
//
// Production is MongoDB. Not every machine can have one, so this program takes the best that the machine offers and hides
// the difference: whatever it is, it answers MongoDB's wire protocol on one local port, keeps its data over restarts, and
// starts within a second or two once it has been set up. scripts/database calls it.
//
// Only the address goes to standard output, so that callers can write STORE=$(scripts/database up). Everything that a
// person may want to read while waiting goes to standard error.
//
// Each engine is a file engine_*.go behind one interface. docs/development.md compares them.
package main
