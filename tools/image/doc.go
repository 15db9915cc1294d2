// Command image assembles the container image of the service from nothing: no base image, no registry, no engine. What it
// writes is an OCI layout, a folder that registries and engines take as it is, so the image that is tested is the image that
// is published.
//
// The same inputs give the same bytes: entries are sorted, and every time in the image is the one that is handed in.
package main
