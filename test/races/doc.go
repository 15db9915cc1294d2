// Package races plays requests against each other: two replicas of the built service, in processes of their own, on one
// database. Each race is run many times, and afterwards the stored documents must agree with each other and with the answers.
package races
