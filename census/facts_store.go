package census

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/store"
)

// countBatch is how many patients come in one answer of the database when all are counted.
const countBatch = 10_000

// factFields are the fields of a patient that count.
var factFields = bson.D{
	{Key: "_id", Value: 0}, {Key: "userId", Value: 1}, {Key: "tags", Value: 1}, {Key: "sites.id", Value: 1},
	{Key: "dataSources.providerName", Value: 1}, {Key: "dataSources.state", Value: 1},
}

// storedFacts is the part of a stored patient that counts. What older writers left in another form does not count, instead of
// making the whole clinic uncountable.
type storedFacts struct {
	UserID      bson.RawValue `bson:"userId"`
	Tags        bson.RawValue `bson:"tags"`
	Sites       bson.RawValue `bson:"sites"`
	DataSources bson.RawValue `bson:"dataSources"`
}

func (p storedFacts) facts() Facts {
	var facts Facts
	facts.UserID, _ = p.UserID.StringValueOK()
	for _, tag := range store.Items(p.Tags) {
		if id, ok := tag.ObjectIDOK(); ok {
			facts.Tags = append(facts.Tags, id)
		}
	}
	for _, site := range store.Items(p.Sites) {
		if id, ok := member(site, "id").ObjectIDOK(); ok {
			facts.Sites = append(facts.Sites, id)
		}
	}
	for _, source := range store.Items(p.DataSources) {
		provider, _ := member(source, "providerName").StringValueOK()
		state, _ := member(source, "state").StringValueOK()
		facts.Sources = append(facts.Sources, Source{Provider: provider, State: state})
	}
	return facts
}

// member returns a member of a document, the zero value if there is none.
func member(document bson.RawValue, key string) bson.RawValue {
	if object, ok := document.DocumentOK(); ok {
		return object.Lookup(key)
	}
	return bson.RawValue{}
}
