package roster_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tidepool-org/clinic/internal/testkit"
	"github.com/tidepool-org/clinic/patients"
	"github.com/tidepool-org/clinic/roster"
	"github.com/tidepool-org/clinic/store"
)

// comparisonsVariable says how many pages are compared; by hand it may be any number.
const comparisonsVariable = "CLINIC_TEST_PAGES"

// perRound is how many pages are compared between rounds of writes, and perRoundByHand how many where so many are wanted that the
// writes would take most of the time.
const (
	perRound       = 12
	perRoundByHand = 60
)

// Every kind of page that two replicas show is what the stored documents say, after the writes of this service, of another replica,
// and of older writers. Writers and comparisons take turns; while writers are at work, pages are asked for as well, so that tables
// are loaded and brought up to date in the midst of changes.
func TestPagesAreWhatIsStored(t *testing.T) {
	t.Parallel()
	wanted, each := 300, perRound
	if number := os.Getenv(comparisonsVariable); number != "" {
		var err error
		wanted, err = strconv.Atoi(number)
		require.NoError(t, err)
		each = perRoundByHand
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := newPagesStage(t, seed)
	for compared := 0; compared < wanted; compared += each {
		s.writeAndRead(t)
		stored := s.read(t)
		for i := range each {
			difference := s.compare(t, s.replicas[i%len(s.replicas)], stored)
			require.Empty(t, difference, "seed %d, after %d comparisons", seed, compared+i)
		}
	}
	t.Logf("%d writes, of which %d were refused", s.writes.Load(), s.refused.Load())
	require.Less(t, s.refused.Load(), s.writes.Load()/4)
}

// The comparison sees when a table misses an update.
func TestAMissedUpdateIsSeen(t *testing.T) {
	t.Parallel()
	s := newPagesStage(t, 7)
	blind := roster.NewService(s.store)
	blind.Overlook()
	for range 200 {
		s.writeAndRead(t)
		stored := s.read(t)
		for range perRound {
			if s.compare(t, blind, stored) != "" {
				return
			}
		}
	}
	require.Fail(t, "no difference was found")
}

// pagesStage is a clinic whose patients change all the time.
type pagesStage struct {
	store    *store.Database
	patients *patients.Service
	replicas []*roster.Service
	clinicID bson.ObjectID
	other    bson.ObjectID // a clinic to which patients move, and from which they come back
	random   *rand.Rand
	writes   atomic.Int64
	refused  atomic.Int64
}

func newPagesStage(t *testing.T, seed uint64) *pagesStage {
	t.Helper()
	s := &pagesStage{other: bson.NewObjectID(), random: rand.New(rand.NewPCG(seed, 11))}
	var own *roster.Service
	app := testkit.Start(t, testkit.Populate(&s.store, &s.patients, &own))
	hex, _ := app.NewClinic(t)
	s.clinicID = objectID(hex)
	s.replicas = []*roster.Service{own, roster.NewService(s.store)}
	var documents []any
	for range 40 {
		documents = append(documents, s.newRecord(s.random))
	}
	_, err := s.records().InsertMany(t.Context(), documents)
	require.NoError(t, err)
	s.recount(t)
	return s
}

// writeAndRead lets some writers work at the same time, and others ask for pages meanwhile.
func (s *pagesStage) writeAndRead(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	for range 2 {
		random := rand.New(rand.NewPCG(s.random.Uint64(), 1))
		all.Go(func() {
			for range 1 + random.IntN(5) {
				s.writes.Add(1)
				if s.write(t, random) != nil { // some meet, and one of them has to give way
					s.refused.Add(1)
				}
			}
		})
	}
	for _, replica := range s.replicas {
		page := s.anyPage(s.random)
		all.Go(func() {
			if _, err := s.listed(t, replica, page); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s.recount(t)
}

// compare returns how a page, or a report, differs from what is stored; "" if it does not.
func (s *pagesStage) compare(t *testing.T, replica *roster.Service, stored *storedPatients) string {
	t.Helper()
	switch s.random.IntN(8) {
	case 0:
		return s.compareReport(t, replica)
	case 1:
		return s.compareDuplicates(t, replica, stored)
	}
	page := s.anyPage(s.random)
	got, err := s.listed(t, replica, page)
	require.NoError(t, err, "%+v", page)
	want := stored.list(t, page)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Sprintf("%+v\n got %v\nwant %v", page, got, want)
	}
	return ""
}

// compareReport compares a report with what the database alone chooses.
func (s *pagesStage) compareReport(t *testing.T, replica *roster.Service) string {
	t.Helper()
	query := roster.TideQuery{
		ClinicID: s.clinicID, Period: choose(s.random, "1d", "7d", "14d", "30d"), Tags: choose(s.random, nil, allOf(tagA), allOf(tagB, tagA), anyOf(tagA, tagB)),
		Sites:         choose(s.random, nil, anyOf(), anyOf(siteA), anyOf(siteA, siteB), allOf(siteB, siteA)),
		Cutoff:        choose(s.random, someTime, someTime.Add(time.Hour), store.Now().Add(-24*time.Hour)),
		Categories:    choose(s.random, nil, []string{"timeInTargetPercent"}, []string{"meetingTargets", "timeInAnyLowPercent", "timeCGMUsePercent"}),
		ExcludeNoData: s.random.IntN(2) == 0,
	}
	got, err := replica.Tide(t.Context(), query)
	require.NoError(t, err)
	want, err := replica.TideByQuery(t.Context(), query)
	require.NoError(t, err)
	if members(got) != members(want) {
		return fmt.Sprintf("%+v\n got %s\nwant %s", query, members(got), members(want))
	}
	return ""
}

func members(report roster.TideReport) string {
	return fmt.Sprint(userIDs(report))
}

// listing is what a page shows.
type listing struct {
	users        []string
	count, total int
}

func (s *pagesStage) listed(t *testing.T, replica *roster.Service, page anyPage) (listing, error) {
	query, err := roster.ParseQuery(page.parameters, page.page)
	if err != nil {
		return listing{}, err
	}
	list, err := replica.List(t.Context(), s.clinicID, query)
	if err != nil {
		return listing{}, err
	}
	found := listing{count: list.Count, total: list.Total}
	for row, err := range list.Rows {
		if err != nil {
			return listing{}, err
		}
		found.users = append(found.users, row.Patient.UserID)
	}
	return found, nil
}
