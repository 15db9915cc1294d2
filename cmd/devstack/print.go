package main

import (
	"fmt"
	"io"
	"time"
)

// print says what to try.
func (d *demo) print(w io.Writer, base string) {
	_, _ = fmt.Fprintf(w, `
The clinic service runs. Ctrl-C stops it; the data stays.

  Service    %[1]s
  API page   %[1]s/docs
  Health     %[1]s/ready   %[1]s/metrics
  A report   %[5]s
             (the page that a clinician opens out of a health record; the link is good for a while)

  Session tokens (the stand-in for the user service knows them)
    admin            u-%[2]s
    member           u-%[3]s
    backend service  server

For the guides in docs/ (frontends.md, redox.md, xealth.md, backend-services.md), whose requests work here:

  export SERVICE=%[1]s CLINIC=%[4]s

Read:

  curl -s -H 'x-tidepool-session-token: u-%[2]s' %[1]s/v1/clinics/%[4]s
  curl -s -H 'x-tidepool-session-token: u-%[3]s' '%[1]s/v1/clinics/%[4]s/patients?search=an&limit=2'
  curl -s -H 'x-tidepool-session-token: u-%[3]s' '%[1]s/v1/clinics/%[4]s/tide_report?period=14d&tags=%[10]s&lastDataCutoff=%[8]s'
  curl -s -H 'x-tidepool-session-token: server' %[1]s/v1/clinicians/%[2]s/clinics

Write (a site; the answer is the new one):

  curl -s -H 'x-tidepool-session-token: u-%[2]s' -H 'Content-Type: application/json' \
    -d '{"name":"South Campus"}' %[1]s/v1/clinics/%[4]s/sites

Send an order as Redox does, and tell of one as Xealth does (it adds a patient to the hospital):

  curl -s -i -H 'verification-token: %[9]s' -H 'Content-Type: application/json' \
    -d '%[6]s' %[1]s/v1/redox

  curl -s -i -H 'Authorization: Bearer %[9]s' -H 'Content-Type: application/json' \
    -d '%[7]s' %[1]s/v1/xealth/notification

`, base, admin, member, d.clinicID, d.reportLink, d.lines.redoxOrder, d.lines.xealthEvent, lastMonth(), development, d.tagID)
}

// lastMonth is since when data count as current, in the form of the TIDE report.
func lastMonth() string { return time.Now().UTC().AddDate(0, -1, 0).Format(time.RFC3339) }
