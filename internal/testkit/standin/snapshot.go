package standin

import (
	"encoding/json"
	"io"
)

// Save writes all that the neighbours remember as JSON, secrets included. Calls and faults are left out.
func (s *Standin) Save(to io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(s.world)
}

// Load replaces all that the neighbours remember by what Save has written, but for sessions that are open. On error nothing is
// replaced.
func (s *Standin) Load(from io.Reader) error {
	loaded := newWorld()
	if err := json.NewDecoder(from).Decode(&loaded); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, opened := range s.world.Sessions { // whoever logged in meanwhile, such as a service that was started anew, stays
		loaded.Sessions[token] = opened
	}
	s.world = loaded
	return nil
}
