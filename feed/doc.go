// Package feed lets other services follow what changes in clinics, patients, members and orders, without a connector to the
// database and a broker. It owns the translation of the change stream of the database into events that hold no data of
// patients: what changed, where, and the names of the fields. It must not know HTTP, nor change anything.
//
// Whoever follows reads the stream through a Follower, at their own pace: nothing is kept for them in this process. Each event
// has a token by which they go on later, in whichever replica.
package feed
