// Package store owns the connection to the database and what all collections share: transactions, the registry of
// indexes, the translation of driver errors, paging and deletion records. It must not know any domain: what a clinic or a
// patient is, and which indexes it needs, is declared by the package that owns the collection.
package store
