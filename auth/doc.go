// Package auth owns who is calling and what callers may do: session tokens, access rules and the credentials of partners.
// It must not know HTTP, nor how tokens are checked or members are stored; both are handed in.
package auth
