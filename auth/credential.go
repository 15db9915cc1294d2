package auth

import (
	"crypto/sha256"
	"crypto/subtle"
)

// SameSecret reports whether the given credential is the wanted one, in a time that says nothing about either. A wanted
// credential that is not configured is never matched.
func SameSecret(given, wanted string) bool {
	if wanted == "" {
		return false
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(wanted))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
