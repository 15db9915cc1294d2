// Package tally counts what happens, for whoever wants to report it. It knows neither metrics nor domains: a domain owns its
// tallies, and need not know who reads them.
//
// Every label has a fixed list of words, so that what a caller sends can never become the value of a label.
package tally
