// Package browser holds tests that look at pages of the service with a real browser. They are skipped, and say so, where
// Chromium is not installed.
package browser
