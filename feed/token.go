package feed

import (
	"encoding/base64"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

var errToken = errs.Because("token_invalid", errs.BadRequestf("the token to go on after is none of this service"))

// tokenOf returns a resume token of the database as a text without special characters.
func tokenOf(resume bson.Raw) string { return base64.RawURLEncoding.EncodeToString(resume) }

// resumeAfter returns the resume token of a text, or errToken.
func resumeAfter(token string) (bson.Raw, error) {
	content, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || bson.Raw(content).Validate() != nil {
		return nil, errToken
	}
	if _, err := bson.Raw(content).LookupErr("_data"); err != nil {
		return nil, errToken
	}
	return content, nil
}
