package patients

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/census"
	"github.com/tidepool-org/clinic/clinics"
	"github.com/tidepool-org/clinic/internal/errs"
)

// sitesOf returns the sites with these ids as they are stored in patients, each once; ErrUnknownSite if the clinic does not
// have one. Nil stays nil.
func sitesOf(clinic *clinics.Clinic, ids []bson.ObjectID) (Sites, error) {
	sites := knownSites(clinic, ids)
	distinct := make(map[bson.ObjectID]bool, len(ids))
	for _, id := range ids {
		distinct[id] = true
	}
	if len(sites) < len(distinct) {
		return nil, ErrUnknownSite
	}
	return sites, nil
}

// knownSites returns those of the sites that the clinic has, each once, in the order of the ids. Nil stays nil.
func knownSites(clinic *clinics.Clinic, ids []bson.ObjectID) Sites {
	if ids == nil {
		return nil
	}
	names := make(map[bson.ObjectID]string, len(clinic.Sites))
	for _, site := range clinic.Sites {
		names[site.ID] = site.Name
	}
	sites := make(Sites, 0, len(ids))
	for _, id := range ids {
		if name, ok := names[id]; ok {
			sites = append(sites, Site{ID: id, Name: name})
			delete(names, id)
		}
	}
	return sites
}

func (s Sites) ids() []bson.ObjectID {
	if s == nil {
		return nil
	}
	ids := make([]bson.ObjectID, 0, len(s))
	for _, site := range s {
		ids = append(ids, site.ID)
	}
	return ids
}

// currentSites returns the sites as the clinic has them in the transaction of the context, which from then on conflicts with
// one that changes the sites of the clinic. Without transactions it returns them as they are: then settle has to follow.
func (s *Service) currentSites(ctx context.Context, clinicID bson.ObjectID, sites Sites) (Sites, error) {
	if len(sites) == 0 || !s.database.HasTransactions() {
		return sites, nil
	}
	clinic, err := s.clinics.Get(ctx, clinicID)
	if err != nil {
		return nil, err
	}
	if err := s.census.Touch(ctx, clinicID); err != nil {
		return nil, err
	}
	return knownSites(clinic, sites.ids()), nil
}

// settleRounds bounds how often settle looks again.
const settleRounds = 5

// settle follows, without transactions, a write of copies of sites into patients, or of sites of the clinic: whoever comes last
// of two such writes sees both, and makes the patients fit the clinic. It returns the sites as they are then.
func (s *Service) settle(ctx context.Context, clinicID bson.ObjectID, sites Sites) (Sites, error) {
	if len(sites) == 0 || s.database.HasTransactions() {
		return sites, nil
	}
	for range settleRounds {
		clinic, err := s.clinics.Get(ctx, clinicID)
		if errs.Is(err, errs.NotFound) {
			return sites, nil
		}
		if err != nil {
			return sites, err
		}
		settled := true
		for _, site := range sites {
			now := clinic.Site(site.ID)
			if now != nil && now.Name == site.Name {
				continue
			}
			settled = false
			if err := s.settleSite(ctx, clinicID, site.ID, now); err != nil {
				return sites, err
			}
		}
		sites = knownSites(clinic, sites.ids())
		if settled {
			break
		}
	}
	return sites, nil
}

// settleSite makes the copies of one site in the patients fit. now is nil for a site that the clinic does not have.
func (s *Service) settleSite(ctx context.Context, clinicID, siteID bson.ObjectID, now *clinics.Site) error {
	if now != nil {
		return s.renameCopies(ctx, clinicID, Site(*now))
	}
	return s.census.Change(ctx, clinicID, func(ctx context.Context) (census.Count, error) {
		n, err := s.pullSite(ctx, ofClinic(clinicID), siteID)
		return census.Count{Groups: census.Groups{Sites: counted(siteID, -n)}}, err
	})
}

// renameCopies gives the copies of a site in the patients its name, in batches. With transactions, each batch makes sure that
// this still is the name, and conflicts with who changes it: otherwise the batches of two who rename the site could mix. Whoever
// came last does the rest then. Without transactions, settle has to follow.
func (s *Service) renameCopies(ctx context.Context, clinicID bson.ObjectID, site Site) error {
	ids, err := s.idsOf(ctx, withOldName(ofClinic(clinicID), site))
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(ids, batchSize) {
		err := s.database.InTx(ctx, func(ctx context.Context) error {
			now, err := s.currentSites(ctx, clinicID, Sites{site})
			if err != nil || len(now) == 0 || now[0] != site {
				return err
			}
			return s.renameSite(ctx, among(ofClinic(clinicID), batch), site)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
