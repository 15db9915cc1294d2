package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tidepool-org/clinic/internal/errs"
)

const (
	headerETag        = "ETag"
	headerIfMatch     = "If-Match"
	headerIfNoneMatch = "If-None-Match"
)

// tagBytes of a hash are enough that no two answers ever have the same tag.
const tagBytes = 18

// compressedSuffix marks the tag of an answer that is sent compressed: the same content in other bytes has another strong tag.
// Callers send it back either way.
const compressedSuffix = "-gzip"

// tagOf returns the strong entity tag of an answer. A hash of the whole answer needs no help from those who write: it changes with
// whatever an older service, or another one, changes.
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:tagBytes]) + `"`
}

// compressedTag returns the tag of the same content when it is compressed. A tag that is not from tagOf becomes a weak one.
func compressedTag(tag string) string {
	if len(tag) == len(tagOf(nil)) && strings.HasPrefix(tag, `"`) {
		return strings.TrimSuffix(tag, `"`) + compressedSuffix + `"`
	}
	if strings.HasPrefix(tag, `"`) {
		return "W/" + tag
	}
	return tag
}

// tagList is what a header says about entity tags.
type tagList struct {
	any  bool // the header is *
	tags []entityTag
}

type entityTag struct {
	weak  bool
	value string // with quotes, without the mark of compression
}

var (
	entityTagForm = regexp.MustCompile(`^(W/)?("[!#-~\x80-\xff]*")[ \t]*(,[ \t]*|$)`)
	errTagList    = reasonParameter.Of(errs.New(errs.BadRequest, "If-Match and If-None-Match hold entity tags in quotes, separated by commas, or *"))
)

const maxTagList = 4096

// tagsIn returns what the header says, nil if the request has no such header.
func tagsIn(header http.Header, name string) (*tagList, error) {
	values := header.Values(name)
	if len(values) == 0 {
		return nil, nil
	}
	rest := strings.Trim(strings.Join(values, ", "), " \t")
	if rest == "*" {
		return &tagList{any: true}, nil
	}
	if rest == "" || len(rest) > maxTagList {
		return nil, errTagList
	}
	var list tagList
	for rest != "" {
		found := entityTagForm.FindStringSubmatch(rest)
		if found == nil {
			return nil, errTagList
		}
		value := strings.Replace(found[2], compressedSuffix+`"`, `"`, 1)
		list.tags = append(list.tags, entityTag{weak: found[1] != "", value: value})
		rest = rest[len(found[0]):]
	}
	return &list, nil
}

// matches reports whether the tag is in the list. To change something, weak tags do not count: nobody says what they leave out.
func (l *tagList) matches(tag string, weakly bool) bool {
	return l.any || slices.ContainsFunc(l.tags, func(t entityTag) bool { return t.value == tag && (weakly || !t.weak) })
}
