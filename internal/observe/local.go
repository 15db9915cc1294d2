package observe

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"runtime"
	"time"

	"go.uber.org/zap/zapcore"
)

// State is what the process is doing.
type State struct {
	Build      string               `json:"build"`
	Started    time.Time            `json:"started"`
	Goroutines int                  `json:"goroutines"`
	Ready      bool                 `json:"ready"`
	Leases     map[string]int       `json:"leases"` // held by this process, by kind of work
	Building   map[string]int       `json:"indexesBeingBuilt"`
	Background map[string]WorkState `json:"background"`
	LogLevel   string               `json:"logLevel,omitempty"`
	LogDropped int64                `json:"logLinesDropped"`
}

var started = time.Now()

// Complete fills in what this package knows.
func (s State) Complete(background *Background, log *Log) State {
	s.Build, s.Started, s.Goroutines, s.Background = ThisBuild().String(), started, runtime.NumGoroutine(), background.States()
	if log != nil {
		s.LogLevel, s.LogDropped = log.Level.String(), log.Dropped()
	}
	return s
}

// LocalHandler serves profiles (/debug/pprof/), the log level (/log-level: GET, or PUT with {"level":"debug"}) and the state of the
// process (/state). It asks for no credential. The log may be nil.
func LocalHandler(state func() State, log *Log) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(state()) // if the connection is gone, there is nobody to tell
	})
	if log != nil {
		mux.HandleFunc("GET /log-level", log.Level.ServeHTTP)
		mux.HandleFunc("PUT /log-level", func(w http.ResponseWriter, r *http.Request) {
			before := log.Level.Level()
			log.Level.ServeHTTP(w, r)
			if now := log.Level.Level(); now != before {
				log.noteLevel(now)
			}
		})
	}
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound) // arguments are nobody's business
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// noteLevel leaves a line whatever the level is.
func (l *Log) noteLevel(level zapcore.Level) {
	// A fatal line would end the process, and one at panic the request.
	if entry := l.Logger.Check(min(max(level, zapcore.WarnLevel), zapcore.ErrorLevel), "the log level was changed to "+level.String()); entry != nil {
		entry.Write()
	}
}
