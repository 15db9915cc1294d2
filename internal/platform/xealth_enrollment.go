package platform

import (
	"context"
	"net/http"
	"strings"
)

// Enrollment asks Xealth to order a program for a patient.
type Enrollment struct {
	Deployment string
	ProgramID  string
	PatientID  EnrolledPatient
}

// EnrolledPatient is the identifier of a patient in a health record.
type EnrolledPatient struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Origin string `json:"origin"`
}

// enrollmentRefusalLimit bounds what is kept of an answer that refuses an enrollment.
const enrollmentRefusalLimit = 4 << 10

// Enroll orders the program. If Xealth refuses, what it answered comes back, which may be "" and may hold data of the
// patient; enrolled is false then. All errors are plain, and mean that there was no usable answer.
func (x *Xealth) Enroll(ctx context.Context, e Enrollment) (enrolled bool, refusal string, err error) {
	ctx, cancel := x.api.limited(ctx)
	defer cancel()
	reply, err := x.send(ctx, request{
		operation: "write order", method: http.MethodPost,
		path: []string{"partner", "write", "order", e.Deployment},
		body: map[string]any{
			"orderType": "enrollment", "partnerId": "tidepool", "programId": e.ProgramID, "programTitle": "Tidepool",
			"patientId": e.PatientID,
		},
	})
	if err != nil {
		return false, "", err
	}
	if reply.status == http.StatusOK {
		return true, "", nil
	}
	return false, strings.ToValidUTF8(string(reply.body[:min(len(reply.body), enrollmentRefusalLimit)]), "?"), nil
}
