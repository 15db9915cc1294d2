package clinics

import (
	"context"
	"crypto/rand"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/store"
)

const (
	// shareCodeAlphabet lacks the letters and digits that are easily mistaken. It has 32 symbols, so that a byte picks one
	// of them without preference.
	shareCodeAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	shareCodeGroups   = 3
	shareCodeGroup    = 4
	// shareCodeDraws bounds how often a new code is drawn because a clinic has it.
	shareCodeDraws = 100
)

// randomShareCode returns a code such as ABCD-EFGH-JKLM.
func randomShareCode() string {
	random := make([]byte, shareCodeGroups*shareCodeGroup)
	_, _ = rand.Read(random) // it never fails
	var code strings.Builder
	for i, b := range random {
		if i > 0 && i%shareCodeGroup == 0 {
			code.WriteByte('-')
		}
		code.WriteByte(shareCodeAlphabet[int(b)%len(shareCodeAlphabet)])
	}
	return code.String()
}

// GetByShareCode returns the clinic that has the code or inherited it from another, or ErrNoSuchCode.
func (s *Service) GetByShareCode(ctx context.Context, code string) (*Clinic, error) {
	var clinic Clinic
	if err := s.collection.FindOne(ctx, bson.D{{Key: "shareCodes", Value: code}}).Decode(&clinic); err != nil {
		return nil, store.OneOf(err, ErrNoSuchCode, nil)
	}
	return &clinic, nil
}

func (s *Service) hasShareCode(ctx context.Context, code string) (bool, error) {
	n, err := s.collection.CountDocuments(ctx, bson.D{{Key: "shareCodes", Value: code}}, options.Count().SetLimit(1))
	return n > 0, err
}
