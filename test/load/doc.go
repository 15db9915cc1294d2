// Command load measures how fast the service answers, beside the same reads made by the bare driver. It seeds a clinic of
// made-up patients, or several, starts the built service on it with stand-in neighbours, calls each operation that clinics wait for, and
// prints both times and their ratio, how long the start took, and how much memory the service held. Ratios can be compared between machines and days; times cannot.
package main
