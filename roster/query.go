package roster

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
	"github.com/tidepool-org/clinic/store"
	"github.com/tidepool-org/clinic/summary"
)

// Query says which patients of a clinic are wanted, and in which order. All conditions must hold.
type Query struct {
	conditions bson.D
	selection  selection // the same for a table
	people     *people   // of persons, which the database does not know; nil if there is no such search
	order      order
	page       store.Page
	// narrow tells that an index leads to the few patients that meet a condition.
	narrow bool
	// placed tells that the rows have places, and that the page begins after one, or at the beginning if it is nil.
	placed bool
	after  *Place
}

// Errors of orders, which callers know by their texts.
var (
	errSortType      = errs.Because("sort_type_required", errs.BadRequestf("invalid sort parameter, missing type"))
	errSortOrder     = errs.Because("sort_invalid", errs.BadRequestf("invalid sort parameter, missing sort order"))
	errSortAttribute = errs.Because("sort_invalid", errs.BadRequestf("invalid sort parameter, invalid sort attribute"))
)

var (
	errSearchText   = errs.Because("search_invalid", errs.BadRequestf("the search text is too long or is no text"))
	reasonParameter = errs.NewReason("parameter_invalid")
)

// maxPattern is how long, in bytes, a pattern may be that the database can search for.
const maxPattern = 32_764

// ParseQuery reads the parameters of a list, by name. What the interface document says about their form was checked
// before; a value that does not fit is an error of kind BadRequest all the same.
func ParseQuery(parameters map[string][]string, page store.Page) (Query, error) {
	p := listParser{parameters: parameters, query: Query{page: page}}
	if period := p.value("period"); period != "" && !slices.Contains(summary.Periods(), period) {
		return Query{}, badParameter("period")
	}
	steps := []func() error{p.search, p.groups, p.ranges, p.reviewed, p.fields, p.sort}
	for _, step := range steps {
		if err := step(); err != nil {
			return Query{}, err
		}
	}
	return p.query, nil
}

type listParser struct {
	parameters map[string][]string
	query      Query
}

// value returns the value of a parameter, "" if it is absent.
func (p *listParser) value(name string) string {
	if values := p.parameters[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func (p *listParser) require(path string, condition any) {
	p.query.conditions = append(p.query.conditions, bson.E{Key: path, Value: condition})
}

func (p *listParser) period() string {
	if period := p.value("period"); period != "" {
		return period
	}
	return summary.DefaultPeriod
}

// search looks in what identifies a patient for persons, or for a text that is taken literally.
func (p *listParser) search() error {
	wanted, mode := p.value("search"), p.value("searchMode")
	if mode != "" && mode != "text" && mode != "people" {
		return badParameter("searchMode")
	}
	if wanted == "" {
		return nil
	}
	pattern := regexp.QuoteMeta(wanted)
	if strings.ContainsRune(wanted, 0) || !utf8.ValidString(wanted) || len(pattern) > maxPattern {
		return errSearchText
	}
	if mode == "people" {
		var ok bool
		if p.query.people, ok = parsePeople(wanted); !ok {
			return errSearchText
		}
		return nil
	}
	var anywhere bson.A
	for _, path := range searched {
		anywhere = append(anywhere, bson.D{{Key: path, Value: bson.Regex{Pattern: pattern, Options: "i"}}})
	}
	p.require("$or", anywhere)
	p.query.selection.search = fold(wanted)
	return nil
}

// groups wants patients of tags and sites.
func (p *listParser) groups() error {
	tags, sites, err := ParseGroups(p.parameters)
	if err != nil {
		return err
	}
	p.query.selection.tags, p.query.selection.sites = tags, sites
	for _, condition := range groupConditions(tags, sites) {
		p.require(condition.Key, condition.Value)
	}
	p.query.narrow = tags != nil && len(tags.IDs) > 0 || sites != nil && len(sites.IDs) > 0
	return nil
}

// ranges leaves out patients whose glucose is judged by other than the usual ranges.
func (p *listParser) ranges() error {
	value := p.value("omitNonStandardRanges")
	if value == "" {
		return nil
	}
	omit, err := strconv.ParseBool(value)
	if err != nil {
		return badParameter("omitNonStandardRanges")
	}
	if omit {
		p.query.selection.usual = true
		p.require("$and", bson.A{bson.D{{Key: "$or", Value: bson.A{
			bson.D{{Key: "glycemicRanges.preset", Value: "adaStandard"}},
			bson.D{{Key: "glycemicRanges", Value: bson.D{{Key: "$exists", Value: false}}}},
		}}}})
	}
	return nil
}

func (p *listParser) reviewed() error {
	value := p.value("lastReviewed")
	if value == "" {
		return nil
	}
	until, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return badParameter("lastReviewed")
	}
	p.require("reviews.0.time", bson.D{{Key: "$lte", Value: until}})
	p.query.selection.reviewed = true
	return nil
}

// fields reads the parameters that filter by a field of the table. Others that look like them are ignored.
func (p *listParser) fields() error {
	for name := range p.parameters {
		parameter, ok := filterParameters[name]
		if !ok {
			continue
		}
		operator, operand, err := parameter.parse(p.value(name))
		if err != nil {
			return badParameter(name)
		}
		if operator != "" {
			path := parameter.field.path(scope{parameter.device, p.period()})
			p.require("$and", bson.A{bson.D{{Key: path, Value: bson.D{{Key: operator, Value: operand}}}}})
			p.query.selection.values = append(p.query.selection.values, valueCondition{path, operator, sortValueOf(operand)})
		}
	}
	p.query.conditions = mergeAnd(p.query.conditions)
	return nil
}

// mergeAnd makes one $and of several, because a document cannot have a key twice.
func mergeAnd(conditions bson.D) bson.D {
	var merged bson.D
	var all bson.A
	for _, condition := range conditions {
		if condition.Key == "$and" {
			all = append(all, condition.Value.(bson.A)...) //nolint:errcheck // this file makes it so
			continue
		}
		merged = append(merged, condition)
	}
	if len(all) > 0 {
		merged = append(merged, bson.E{Key: "$and", Value: all})
	}
	return merged
}

// comparators are those of numeric filters. The longer come first, because the shorter begin them.
var comparators = []struct{ sign, operator string }{{"<=", "$lte"}, {">=", "$gte"}, {"<", "$lt"}, {">", "$gt"}}

// parse returns a condition as the database puts it. The operator is "" if there is no condition.
func (f filterParameter) parse(value string) (operator string, operand any, err error) {
	if f.field.value == instant {
		at, err := time.Parse(time.RFC3339, value)
		if err != nil || at.IsZero() { // COMPAT: the zero time stands for none
			return "", nil, err
		}
		return f.operator, at, nil
	}
	for _, comparator := range comparators {
		if number, ok := strings.CutPrefix(value, comparator.sign); ok {
			operand, err := strconv.ParseFloat(number, 64)
			if errors.Is(err, strconv.ErrRange) {
				err = nil // a number too large to hold became infinite, which compares as it should
			}
			return comparator.operator, operand, err
		}
	}
	return "", nil, strconv.ErrSyntax
}

func (p *listParser) sort() error {
	p.query.order = nameOrder(1)
	value := p.value("sort")
	if value == "" {
		return nil
	}
	device := summary.Device(p.value("sortType"))
	if device == "" {
		return errSortType
	}
	direction, ok := map[byte]int{'+': 1, '-': -1}[value[0]]
	if !ok {
		return errSortOrder
	}
	f, ok := sortFields[device][value[1:]]
	if !ok {
		return errSortAttribute
	}
	if f.name == "fullName" {
		p.query.order = nameOrder(direction)
		return nil
	}
	p.query.order = fieldOrder(f, scope{device, p.period()}, direction)
	p.query.selection.reviewed = p.query.selection.reviewed || f.name == "lastReviewed"
	return nil
}

func badParameter(name string) error {
	return reasonParameter.Of(errs.BadRequestf("parameter %q has an error: the value cannot be read", name))
}
