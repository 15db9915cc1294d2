// Package client calls the clinic service, which keeps clinics, their members and their patients.
//
// [New] makes a client with a session token, and is what new code should use:
//
//	c, err := client.New("https://api.example.org", client.StaticToken(token))
//	...
//	response, err := c.GetClinicWithResponse(ctx, clinicID)
//	if client.StatusOf(err) == http.StatusNotFound {
//		...
//	}
//	if err != nil {
//		return err
//	}
//	clinic := response.JSON200
//
// Its calls return an [*APIError] for every answer that reports one, and are repeated when the service or the connection fails
// and a repetition does no harm ([WithRetry]). Each part can be had alone as an option of [NewClientWithResponses]:
// [WithToken], [WithRetry], [WithErrors], in this order.
//
// All operations, types and names of values are made from the document of the interface. A member that may be absent is a
// pointer as a rule. Absent and empty differ in what is sent: sites that are nil leave a patient's sites alone, an empty list
// takes them away.
//
// For tests there is [MockClientWithResponsesInterface], made by go.uber.org/mock, of the interface that [*ClientWithResponses]
// implements.
package client
