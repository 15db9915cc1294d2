package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

const (
	redoxSource    = "riverside-redox"
	redoxCode      = "REPORTS-ON"
	deployment     = "riverside-xealth"
	program        = "tidepool"
	hospitalMRN    = "RH70001" // of the patient whose report can be opened
	nextMRN        = "RH70002" // of the patient whom the printed order is about
	hospitalIDType = "MRN"
)

type object = map[string]any

// lines are requests of partners, as JSON.
type lines struct{ redoxOrder, xealthEvent string }

func ehrSettings(provider, source string, codes object) object {
	return object{
		"enabled": true, "provider": provider, "sourceId": source, "mrnIdType": hospitalIDType, "procedureCodes": codes,
		"scheduledReports": object{"cadence": "14d", "onUploadEnabled": true}, "tags": object{}, "flowsheets": object{"icode": false},
	}
}

// connectRedox connects the clinic, and sends one order when it does so first. That one stays on its way: the worker, which acts on
// orders, does not run here.
func (d *demo) connectRedox(ctx context.Context, c clinic) error {
	path := "/v1/clinics/" + c.ID + "/settings/ehr"
	first := d.call(ctx, "server", http.MethodGet, path, nil, nil) != nil
	if err := d.call(ctx, "server", http.MethodPut, path, ehrSettings("redox", redoxSource, object{"enableSummaryReports": redoxCode}), nil); err != nil {
		return err
	}
	if first {
		if err := d.redox(ctx, redoxOrder(1)); err != nil {
			return err
		}
	}
	encoded, err := json.Marshal(redoxOrder(2))
	d.lines.redoxOrder = string(encoded)
	return err
}

// redoxOrder returns an order of reports for a patient of the demo clinic.
func redoxOrder(i int) object {
	return object{
		"Meta": object{"DataModel": "Order", "EventType": "New", "Source": object{"ID": redoxSource}, "Logs": []object{{"ID": uuid.NewString()}}},
		"Patient": object{
			"Identifiers":  []object{{"ID": mrnOf(i), "IDType": hospitalIDType}},
			"Demographics": object{"FirstName": givenNames[i], "LastName": lastNames[i], "DOB": birthDateOf(i)},
		},
		"Order": object{"ID": fmt.Sprint(i), "Procedure": object{"Code": redoxCode}},
	}
}

// ensureHospital makes the clinic that orders through Xealth, with one patient whose report can be opened, and an order that is
// there to be sent.
func (d *demo) ensureHospital(ctx context.Context) error {
	hospital, err := d.ensureClinic(ctx, hospitalName)
	if err != nil {
		return err
	}
	settings := ehrSettings("xealth", deployment, object{"createAccountAndEnableReports": program})
	settings["scheduledReports"] = object{"cadence": "DISABLED", "onUploadEnabled": false}
	if err := d.call(ctx, "server", http.MethodPut, "/v1/clinics/"+hospital.ID+"/settings/ehr", settings, nil); err != nil {
		return err
	}
	// An order that was applied before is recognised by the id of its event.
	event, err := d.placeOrder(ctx, hospitalMRN, "order-1", "b6f9b7ad-7c1a-4c2b-9a70-9d3a1f4f0001")
	if err != nil {
		return err
	}
	if err := d.xealth(ctx, http.MethodPost, "notification", event, nil); err != nil {
		return err
	}
	if err := d.fillHospital(ctx, hospital); err != nil {
		return err
	}
	var report struct {
		URL string `json:"url"`
	}
	if err := d.xealth(ctx, http.MethodPut, "program", aboutPatient(hospitalMRN), &report); err != nil {
		return err
	}
	d.reportLink = report.URL
	next, err := d.placeOrder(ctx, nextMRN, "order-2", uuid.NewString())
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(next)
	d.lines.xealthEvent = string(encoded)
	return err
}

// placeOrder fills in the form of an order as a clinician does, lets Xealth know the order, and returns the event that tells of it.
func (d *demo) placeOrder(ctx context.Context, mrn, orderID, eventID string) (object, error) {
	trackingID := uuid.NewString()
	form := aboutPatient(mrn)
	form["eventType"], form["eventContext"] = "preorder", "subsequent"
	form["formData"] = object{"dataTrackingId": trackingID, "userInput": object{}}
	if err := d.xealth(ctx, http.MethodPost, "preorder", form, nil); err != nil {
		return nil, err
	}
	order := aboutPatient(mrn)
	now := time.Now().UTC().Format(time.RFC3339)
	order["orderInfo"] = object{
		"deployment": deployment, "orderId": orderID, "partnerId": "tidepool", "programId": program,
		"orderCreationDateTime": now, "orderUpdateDateTime": now,
	}
	order["preorder"] = object{"dataTrackingId": trackingID}
	d.neighbours.AddOrder(deployment, orderID, order)
	return object{
		"eventId": eventID, "eventTimeStamp": now, "eventType": "order", "eventContext": "new", "orderId": orderID,
		"deployment": deployment, "partnerId": "tidepool", "programId": program,
	}, nil
}

func aboutPatient(mrn string) object {
	family := "Rivers"
	if mrn == nextMRN {
		family = "Newton"
	}
	return object{
		"deployment": deployment, "programId": program,
		"patientIdentity": object{"ids": []object{{"id": mrn, "type": hospitalIDType}}},
		"datasets":        object{"demographicsV1": object{"name": object{"given": []string{"Robin"}, "family": []string{family}}, "birthDate": "1985-01-11"}},
	}
}

// fillHospital gives the patient of the hospital data for the report.
func (d *demo) fillHospital(ctx context.Context, hospital clinic) error {
	var found struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := d.call(ctx, "server", http.MethodGet, "/v1/clinics/"+hospital.ID+"/patients?search="+hospitalMRN, nil, &found); err != nil {
		return err
	}
	for _, patient := range found.Data {
		statistics, err := demoSummary(0)
		if err != nil {
			return err
		}
		if err := d.call(ctx, "server", http.MethodPost, "/v1/patients/"+patient.ID+"/summary", statistics, nil); err != nil {
			return err
		}
	}
	return nil
}
