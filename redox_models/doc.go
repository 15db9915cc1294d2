// Package redox_models has the messages of Redox, through which health records send orders and receive reports, and the
// record of a received message in the database.
//
// A message is decoded from JSON into the struct of its model and event: an order that was placed into [NewOrder], notes to
// send into [NewNotes] or, if they replace earlier ones, [ReplaceNotes]. Members that are not described are dropped, so keep
// the bytes of what you pass on.
//
// Numbers are float32, as they always were here. Redox sends numbers as ids only (Message and Transmission of [Meta]),
// and a stored double that no float32 equals is refused by [MessageEnvelope] when it is read.
package redox_models
