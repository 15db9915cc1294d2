// Command golang tells the story of test/clients with the Go client of this repository.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/oapi-codegen/runtime/types"

	"github.com/tidepool-org/clinic/client"
)

func main() {
	if err := story(context.Background(), os.Getenv("CLINIC_URL")); err != nil {
		fmt.Fprintln(os.Stderr, "Go client:", err)
		os.Exit(1)
	}
	fmt.Println("Go client: the story passes")
}

// failed says what did not work; a call that came back with another answer than the expected one has no error.
func failed(what string, err error) error {
	if err == nil {
		return errors.New(what)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func story(ctx context.Context, url string) error {
	c, err := client.NewClientWithResponses(url, client.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("x-tidepool-session-token", "server")
		return nil
	}))
	if err != nil {
		return err
	}
	limit := client.Limit(1000)
	clinics, err := c.ListClinicsWithResponse(ctx, &client.ListClinicsParams{Limit: &limit})
	if err != nil || clinics.JSON200 == nil || len(*clinics.JSON200) == 0 {
		return failed("no clinics", err)
	}
	clinic := *(*clinics.JSON200)[0].Id
	unique := strconv.FormatInt(time.Now().UnixNano()%1e9, 10)
	tag, err := c.CreatePatientTagWithResponse(ctx, clinic, client.PatientTagV1{Name: "G " + unique})
	if err != nil || tag.JSON200 == nil {
		return failed("no tag", err)
	}
	site, err := c.CreateSiteWithResponse(ctx, clinic, client.SiteCreationV1{Name: "Go " + unique})
	if err != nil || site.JSON200 == nil {
		return failed("no site", err)
	}
	if err := patientStory(ctx, c, clinic, "G"+unique, *tag.JSON200, *site.JSON200); err != nil {
		return err
	}
	removedTag, err := c.DeletePatientTagWithResponse(ctx, clinic, *tag.JSON200.Id)
	if err != nil || removedTag.StatusCode() != http.StatusNoContent {
		return failed("tag not deleted", err)
	}
	removedSite, err := c.DeleteSiteWithResponse(ctx, clinic, site.JSON200.Id)
	if err != nil || removedSite.StatusCode() != http.StatusNoContent {
		return failed("site not deleted", err)
	}
	return nil
}

// patientStory creates, reads, changes and lists a patient, and asks for one that does not exist.
func patientStory(ctx context.Context, c *client.ClientWithResponses, clinic, mrn string, tag client.PatientTagV1, site client.SiteV1) error {
	body := client.PatientV1{FullName: "Gil Go", BirthDate: types.Date{Time: time.Date(2001, 2, 3, 0, 0, 0, 0, time.UTC)}, Mrn: &mrn}
	created, err := c.CreatePatientAccountWithResponse(ctx, clinic, body)
	if err != nil || created.JSON200 == nil {
		return failed("no patient", err)
	}
	id := *created.JSON200.Id
	read, err := c.GetPatientWithResponse(ctx, clinic, id)
	if err != nil || read.JSON200 == nil || *read.JSON200.Mrn != mrn {
		return failed("patient not read", err)
	}
	body.Tags, body.Sites = &client.PatientTagIdsV1{*tag.Id}, []client.SiteV1{{Id: site.Id, Name: site.Name}}
	updated, err := c.UpdatePatientWithResponse(ctx, clinic, id, body)
	if err != nil || updated.JSON200 == nil || len(*updated.JSON200.Tags) != 1 || len(updated.JSON200.Sites) != 1 {
		return failed("patient not updated", err)
	}
	search := mrn
	page, err := c.ListPatientsWithResponse(ctx, clinic, &client.ListPatientsParams{Search: &search})
	if err != nil || page.JSON200 == nil || page.JSON200.Data == nil || len(*page.JSON200.Data) != 1 {
		return failed("patient not listed", err)
	}
	unknown, err := c.GetPatientWithResponse(ctx, clinic, "0000000000")
	if err != nil || unknown.StatusCode() != http.StatusNotFound {
		return failed("an unknown patient is not 404", err)
	}
	return nil
}
