// Package testkit gives tests what they need to be real: a database of their own, the whole service in process, the
// neighbours played by a stand-in, and short ways to set the stage. Production code must not import it.
package testkit
