package platform

import (
	"context"
	"errors"
	"net/http"
)

// ProfileService is the client of the profile service, which knows what people are called.
type ProfileService struct {
	upstream *upstream
	session  *serverSession
}

// Profile is what is known about a person. All members may be empty.
type Profile struct {
	FullName string `json:"fullName"`
	// Patient is nil for people who are no patients.
	Patient *PatientProfile `json:"patient"`
}

// PatientProfile is the part of a profile about a person as a patient. All members may be empty.
type PatientProfile struct {
	FullName string `json:"fullName"`
	// Birthday has the form YYYY-MM-DD; it is passed on as received.
	Birthday      string   `json:"birthday"`
	MRN           string   `json:"mrn"`
	TargetDevices []string `json:"targetDevices"`
	Email         string   `json:"email"`
}

// NewProfileService returns a client that uses the server token of users, or an error when the address is no URL.
func NewProfileService(address string, users *UserService, options Options) (*ProfileService, error) {
	options = options.withDefaults()
	profiles, err := newUpstream("profile", address, direct(options), options)
	if err != nil {
		return nil, err
	}
	return &ProfileService{upstream: profiles, session: users.session}, nil
}

// Profile returns the profile of a user. A user without one has an empty profile; that is no error.
func (s *ProfileService) Profile(ctx context.Context, userID string) (Profile, error) {
	const operation = "get profile"
	reply, err := s.upstream.sendAuthorized(ctx, s.session, sessionTokenHeader, request{
		operation: operation, method: http.MethodGet, path: []string{userID, "profile"},
	})
	if errors.Is(err, errImpossiblePath) {
		return Profile{}, nil
	}
	if err != nil {
		return Profile{}, err
	}
	switch reply.status {
	case http.StatusOK:
	case http.StatusNotFound:
		return Profile{}, nil
	default:
		return Profile{}, s.upstream.unexpected(operation, reply)
	}
	var profile Profile
	if err := s.upstream.decode(operation, reply, &profile); err != nil {
		return Profile{}, err
	}
	return profile, nil
}
