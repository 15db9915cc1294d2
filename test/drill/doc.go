// Package drill restores a backup, as docs/backup.md says, and looks whether the service has everything back.
package drill
