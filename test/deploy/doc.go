// Package deploy holds tests of what deploy/ holds: that the manifests are what Kubernetes takes, that the service starts
// with exactly what they give it, and that rules, dashboards, alert pages and the metrics table fit each other.
//
// It is a module of its own: the types of Kubernetes and the rules of Prometheus bring some hundred modules along, which are
// not for the service.
package deploy
