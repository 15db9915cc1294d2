// Package fuzz sends requests to the built service that are made from its own interface document, most of them a little
// wrong, and holds every answer against the document. FUZZ_REQUESTS sets how many, FUZZ_SEED repeats a run.
package fuzz
