// Package redox owns what comes from Redox, through which health records send orders: the messages as they were received,
// the rules by which an order finds its clinic and its patient, and the documents that ask the worker to send reports
// again.
//
// It never calls Redox, and receiving a message does nothing but store it. It must not know HTTP, nor how clinics and
// patients are stored: it asks their packages.
package redox
