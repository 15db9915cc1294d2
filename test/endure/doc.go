// Command endure lets the built service live through what days and nights bring: hours of requests, restarts while clinics
// work, and a database and neighbours that are slow, talk nonsense or are gone. It starts two replicas as processes of their own
// behind a balancer that follows /ready, sends requests, remembers what was answered, and looks in the database at the end.
//
//	endure -service bin/clinic -for 15m soak
//	endure -service bin/clinic -n 10000 restart
//	endure -service bin/clinic chaos
//
// Each ends by itself, prints figures and a verdict, and exits with 1 if the verdict is bad. All of it runs on this machine.
package main
