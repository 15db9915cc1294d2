package api

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/url"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/internal/errs"
)

var (
	errCursorInvalid = errs.Because("cursor_invalid", errs.BadRequestf("the cursor is not one that this service gave; begin with an empty one"))
	errCursorForeign = errs.Because("cursor_foreign", errs.BadRequestf("the cursor belongs to another list, or to other filters or another order"))
	errCursorOffset  = reasonParameter.Of(errs.BadRequestf("parameter %q in query has an error: it cannot be given with a cursor", "offset"))
)

// nextCursorHeader has the next cursor of lists that are plain arrays, whose bodies have no room for it. It is no Link (RFC 8288):
// that would need the address by which the caller reaches this service, which only the gateway knows.
const nextCursorHeader = "X-Next-Cursor"

// cursorVersion begins each cursor. Whoever changes what is inside counts it up, and cursors of before are refused.
const cursorVersion = 1

// Cursors makes cursors, and reads them.
//
// A cursor holds the sort key of the last row of a page, because the row itself may be gone, or elsewhere, when the next page is asked for. A
// sort key of a patient is data of the patient, and cursors stand in addresses and logs; so they are encrypted. The key comes from a
// secret that all replicas have.
type Cursors struct{ seal cipher.AEAD }

// NewCursors returns cursors that every process with the same settings reads.
func NewCursors(c config.Platform) (*Cursors, error) {
	key, err := hkdf.Key(sha256.New, []byte(c.ServerSecret), nil, "cursors of lists", sha256.Size)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	return &Cursors{seal}, err
}

// listScope is what a cursor belongs to: a list, with its filters and order.
type listScope [sha256.Size]byte

// notInScope are the parameters that may differ from page to page.
var notInScope = []string{"cursor", "limit", "offset", "format", "bom", "cursors"}

// newListScope returns the scope of a list. Owner tells lists of the same name apart.
func newListScope(list, owner string, query url.Values) listScope {
	filters := maps.Clone(query)
	for _, name := range notInScope {
		delete(filters, name)
	}
	return sha256.Sum256([]byte(list + "\n" + owner + "\n" + filters.Encode()))
}

type cursorContent[P any] struct {
	Scope []byte `bson:"s"`
	Place P      `bson:"p"`
}

// newCursor returns a cursor for the page behind a place.
func newCursor[P any](c *Cursors, scope listScope, place P) (string, error) {
	content, err := bson.Marshal(cursorContent[P]{Scope: scope[:], Place: place})
	if err != nil {
		return "", err
	}
	version := []byte{cursorVersion}
	sealed := c.seal.Seal(nil, nil, content, version) //nolint:gosec // it makes a nonce by itself
	return base64.RawURLEncoding.EncodeToString(append(version, sealed...)), nil
}

// readCursor returns the place of a cursor, nil if that is empty.
func readCursor[P any](c *Cursors, scope listScope, cursor string) (*P, error) {
	if cursor == "" {
		return nil, nil //nolint:nilnil // the beginning
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(sealed) == 0 || sealed[0] != cursorVersion {
		return nil, errCursorInvalid
	}
	content, err := c.seal.Open(nil, nil, sealed[1:], sealed[:1])
	if err != nil {
		return nil, errCursorInvalid
	}
	var read cursorContent[bson.Raw]
	if err := bson.Unmarshal(content, &read); err != nil {
		return nil, errCursorInvalid
	}
	if subtle.ConstantTimeCompare(read.Scope, scope[:]) == 0 {
		return nil, errCursorForeign
	}
	var place P
	if err := bson.Unmarshal(read.Place, &place); err != nil {
		return nil, errCursorInvalid
	}
	return &place, nil
}
