// Package clinics owns clinics: their profile, share codes, tags, sites, settings, and the census of their patients. It
// must not know HTTP, nor how members and patients are stored: what it needs of those it declares as small interfaces.
package clinics
