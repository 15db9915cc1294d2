package roster

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/errs"
)

// ParseGroups reads which tags and sites a list or a report is about: all of the tags and any of the sites, unless tagsMatch and
// sitesMatch say otherwise. It returns nil for what is not asked for, and an error of kind BadRequest for what cannot be read.
func ParseGroups(parameters map[string][]string) (tags, sites *Groups, err error) {
	if tags, err = parseGroups(parameters, "tags", true); err != nil {
		return nil, nil, err
	}
	sites, err = parseGroups(parameters, "sites", false)
	return tags, sites, err
}

// parseGroups reads ids of tags or sites. COMPAT: what is no id is dropped, and if none is left, patients without any are wanted;
// front ends send "_" for that.
func parseGroups(parameters map[string][]string, name string, all bool) (*Groups, error) {
	value := func(name string) (string, bool) {
		values, ok := parameters[name]
		return strings.Join(values[:min(1, len(values))], ""), ok
	}
	switch match, ok := value(name + "Match"); {
	case match == "all":
		all = true
	case match == "any":
		all = false
	case ok:
		return nil, badParameter(name + "Match")
	}
	list, ok := value(name)
	if !ok {
		return nil, nil //nolint:nilnil // no choice
	}
	groups := &Groups{All: all}
	for id := range strings.SplitSeq(list, ",") {
		if id == "" {
			return nil, reasonParameter.Of(errs.BadRequestf("parameter %q has an error: empty value is not allowed", name))
		}
		if id, err := bson.ObjectIDFromHex(id); err == nil {
			groups.IDs = append(groups.IDs, id)
		}
	}
	return groups, nil
}

// groupConditions are those of the database.
func groupConditions(tags, sites *Groups) bson.D {
	var conditions bson.D
	if tags != nil {
		conditions = append(conditions, tags.condition("tags", "tags"))
	}
	if sites != nil {
		conditions = append(conditions, sites.condition("sites", "sites.id"))
	}
	return conditions
}
