// Package app puts the service together: it is the one place that knows every package. The command and the tests start
// the same graph.
package app
