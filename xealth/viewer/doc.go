// Package viewer owns the page that shows a report in a browser: its template, its scripts and styles, and the pinned copy
// of pdf.js that draws the PDF. All of it is part of the binary. It must not know HTTP, or what a report is about.
package viewer
