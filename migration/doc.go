// Package migration owns the migrations of legacy accounts into clinics: which account moves into which clinic, and how far
// it is. A worker does the moving; it watches the collection and reports back. The package must not know HTTP, nor how
// clinics and members are stored.
package migration
