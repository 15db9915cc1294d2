package merge

import (
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// sharedWrites collects updates of single documents. Those that are equal become one update of many documents: the database
// plans it once, which is what most of the time of an update of a single document goes into. The zero value is empty.
type sharedWrites struct {
	writes     []*sharedWrite
	byDocument map[string]*sharedWrite
}

type sharedWrite struct {
	ids       []bson.ObjectID
	condition bson.D
	update    bson.D
	elements  bson.A // filters of elements of lists that the update names
}

// add adds an update of the document with the id, if the condition holds for it.
func (w *sharedWrites) add(id bson.ObjectID, condition, update bson.D, elements ...any) {
	document, err := bson.Marshal(bson.D{{Key: "condition", Value: condition}, {Key: "update", Value: update}, {Key: "elements", Value: elements}})
	write := w.byDocument[string(document)]
	if write == nil || err != nil { // the driver will report the error
		write = &sharedWrite{condition: condition, update: update, elements: elements}
		w.writes = append(w.writes, write)
		if w.byDocument == nil {
			w.byDocument = map[string]*sharedWrite{}
		}
		w.byDocument[string(document)] = write
	}
	write.ids = append(write.ids, id)
}

func (w *sharedWrites) models() []mongo.WriteModel {
	models := make([]mongo.WriteModel, 0, len(w.writes))
	for _, write := range w.writes {
		model := mongo.NewUpdateManyModel().SetFilter(append(oneOf(write.ids), write.condition...)).SetUpdate(write.update)
		if len(write.elements) > 0 {
			model.SetArrayFilters(write.elements)
		}
		models = append(models, model)
	}
	return models
}

// documents returns the ids of the documents of all updates, one as often as it has updates.
func (w *sharedWrites) documents() []bson.ObjectID {
	var ids []bson.ObjectID
	for _, write := range w.writes {
		ids = append(ids, write.ids...)
	}
	return ids
}
