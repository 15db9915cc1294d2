package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/tidepool-org/clinic/client"
)

// service stands in for the clinic service in the examples: it has one clinic and no other.
func service() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/v1/clinics/5f85fbe6686e6bb9170ab5d0" || r.Header.Get("X-Tidepool-Session-Token") != "token" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(w, `{"code":404,"message":"clinic not found","reason":"clinic_not_found","requestId":"r-1"}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"id":"5f85fbe6686e6bb9170ab5d0","name":"Harbor Clinic","preferredBgUnits":"mg/dL"}`)
	}))
}

func Example() {
	server := service()
	defer server.Close()

	c, err := client.New(server.URL, client.StaticToken("token"))
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := c.GetClinicWithResponse(context.Background(), "5f85fbe6686e6bb9170ab5d0")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.JSON200.Name, response.JSON200.PreferredBgUnits == client.ClinicV1PreferredBgUnitsMgdL)
	// Output: Harbor Clinic true
}

func ExampleAPIError() {
	server := service()
	defer server.Close()

	c, err := client.New(server.URL, client.StaticToken("token"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.GetClinicWithResponse(context.Background(), "000000000000000000000000")
	var refused *client.APIError
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Reason, refused.RequestID)
	}
	fmt.Println(err)
	// Output:
	// 404 clinic_not_found r-1
	// clinic service: 404 clinic not found (clinic_not_found) [request r-1]
}
