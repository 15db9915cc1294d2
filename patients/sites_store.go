package patients

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/tidepool-org/clinic/census"
)

// withSite returns those of the patients who have the site.
func withSite(who bson.D, siteID bson.ObjectID) bson.D {
	return and(who, bson.E{Key: "sites.id", Value: siteID})
}

// withOldName returns those of the patients whose copy of the site has another name.
func withOldName(who bson.D, site Site) bson.D {
	otherName := bson.D{{Key: "id", Value: site.ID}, {Key: "name", Value: bson.D{{Key: "$ne", Value: site.Name}}}}
	return and(who, bson.E{Key: "sites", Value: bson.D{{Key: "$elemMatch", Value: otherName}}})
}

// renameSite gives the copies of a site in the patients its name.
func (s *Service) renameSite(ctx context.Context, who bson.D, site Site) error {
	_, err := s.changeAll(ctx, withOldName(who, site),
		bson.D{{Key: "$set", Value: bson.D{{Key: "sites.$[site].name", Value: site.Name}}}},
		options.UpdateMany().SetArrayFilters([]any{bson.D{{Key: "site.id", Value: site.ID}}}))
	return err
}

// pullSite takes the site out of the patients who have it, and returns how often it stood in their lists.
func (s *Service) pullSite(ctx context.Context, who bson.D, siteID bson.ObjectID) (int, error) {
	filter := withSite(who, siteID)
	repeats, err := s.repeats(ctx, filter, func(c census.Count) int { return c.Sites[siteID] }, "sites.id")
	if err != nil {
		return 0, err
	}
	n, err := s.changeAll(ctx, filter, bson.D{{Key: "$pull", Value: bson.D{{Key: "sites", Value: bson.D{{Key: "id", Value: siteID}}}}}})
	return n + repeats, err
}

// moveToSite gives the patients of the source site the target site, unless they have it, and then takes the source from
// them. It returns how that changes the census.
func (s *Service) moveToSite(ctx context.Context, who bson.D, sourceID bson.ObjectID, target Site) (census.Count, error) {
	// A list cannot be both appended to and pulled from in one write.
	added, err := s.changeAll(ctx,
		and(who, bson.E{Key: "sites.id", Value: bson.D{{Key: "$eq", Value: sourceID}, {Key: "$ne", Value: target.ID}}}),
		bson.D{{Key: "$push", Value: bson.D{{Key: "sites", Value: target}}}})
	if err != nil {
		return census.Count{}, err
	}
	pulled, err := s.pullSite(ctx, who, sourceID)
	return census.Count{Groups: census.Groups{Sites: counted(target.ID, added)}}.Minus(census.Count{Groups: census.Groups{Sites: counted(sourceID, pulled)}}), err
}

// exchangeTag gives the patients who have the tag the site, unless they have it, and takes the tag from them. It returns
// how that changes the census.
func (s *Service) exchangeTag(ctx context.Context, who bson.D, tagID bson.ObjectID, site Site) (census.Count, error) {
	tagged := withTag(who, tagID)
	repeats, err := s.repeats(ctx, tagged, func(c census.Count) int { return c.Tags[tagID] }, "tags")
	if err != nil {
		return census.Count{}, err
	}
	pull := bson.E{Key: "$pull", Value: bson.D{{Key: "tags", Value: tagID}}}
	added, total := 0, 0
	for _, step := range []struct {
		who    bson.D
		update bson.D
		adds   bool
	}{
		{and(tagged, isNull("sites")...), bson.D{pull, {Key: "$set", Value: bson.D{{Key: "sites", Value: Sites{site}}}}}, true},
		{and(tagged, bson.E{Key: "sites.id", Value: bson.D{{Key: "$ne", Value: site.ID}}}), bson.D{pull, {Key: "$push", Value: bson.D{{Key: "sites", Value: site}}}}, true},
		{tagged, bson.D{pull}, false},
	} {
		n, err := s.changeAll(ctx, step.who, step.update)
		if err != nil {
			return census.Count{}, err
		}
		total += n
		if step.adds {
			added += n
		}
	}
	return census.Count{Groups: census.Groups{Sites: counted(site.ID, added)}}.Minus(census.Count{Groups: census.Groups{Tags: counted(tagID, total+repeats)}}), nil
}
