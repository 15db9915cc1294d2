package client

import "encoding/json"

// Here are the members whose absence means something and whose Go type is no pointer, which consumers compile against. The
// option omitzero would do, but an encoder before Go 1.24 does not know it and sends what the service refuses.

// MarshalJSON leaves out nil sites, which change nothing; an empty list takes all sites away.
func (p PatientV1) MarshalJSON() ([]byte, error) {
	type members PatientV1
	return json.Marshal(struct {
		members
		Sites *[]SiteV1 `json:"sites,omitempty"`
	}{members(p), unlessNil(p.Sites)})
}

// MarshalJSON leaves out nil sites.
func (p CreatePatientV1) MarshalJSON() ([]byte, error) {
	type members CreatePatientV1
	return json.Marshal(struct {
		members
		Sites *[]SiteV1 `json:"sites,omitempty"`
	}{members(p), unlessNil(p.Sites)})
}

// MarshalJSON leaves out custom ranges that have neither name nor thresholds.
func (r GlycemicRangesV1) MarshalJSON() ([]byte, error) {
	type members GlycemicRangesV1
	var custom *GlycemicRangesCustomV1
	if r.Custom.Name != "" || r.Custom.Thresholds != nil {
		custom = &r.Custom
	}
	return json.Marshal(struct {
		members
		Custom *GlycemicRangesCustomV1 `json:"custom,omitempty"`
	}{members(r), custom})
}

func unlessNil(sites []SiteV1) *[]SiteV1 {
	if sites == nil {
		return nil
	}
	return &sites
}
