package operator

import (
	"encoding/json"
	"fmt"
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// output is where a command writes: results to one place, what goes on to another.
type output struct {
	json     bool
	results  io.Writer
	progress io.Writer
	failed   *error // the first failure to write results
}

// result is one line of results: text for people, or, encoded as JSON, an object for programs.
type result interface{ line() string }

func (o output) print(r result) {
	var err error
	if o.json {
		encoder := json.NewEncoder(o.results)
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(r)
	} else {
		_, err = fmt.Fprintln(o.results, r.line())
	}
	if err != nil && *o.failed == nil {
		*o.failed = err
	}
}

func (o output) report(format string, args ...any) {
	_, _ = fmt.Fprintf(o.progress, format+"\n", args...)
}

// logger returns a logger that writes where progress is reported, in lines for people.
func (o output) logger(level zapcore.Level) *zap.Logger {
	encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(o.progress)), level))
}

// found is the last line of a list.
type found struct {
	Found int    `json:"found"`
	Noun  string `json:"-"`
}

func (f found) line() string { return fmt.Sprintf("Found %d %s", f.Found, f.Noun) }

// empty stands for a value that is missing.
const empty = "(empty)"

func orEmpty(text *string) string {
	if text == nil || *text == "" {
		return empty
	}
	return *text
}
