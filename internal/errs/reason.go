package errs

import (
	"errors"
	"slices"
	"strings"
	"sync"
)

// Reason is a short, stable word by which programs tell errors apart, such as mrn_not_unique. Unlike a text it never
// changes.
type Reason string

var registry struct {
	sync.Mutex
	reasons map[Reason]bool
}

// NewReason makes a reason known. Errors that are made while a request is answered need one from a package variable, so that
// Reasons lists it from the start.
func NewReason(word string) Reason {
	registry.Lock()
	defer registry.Unlock()
	if registry.reasons == nil {
		registry.reasons = map[Reason]bool{}
	}
	registry.reasons[Reason(word)] = true
	return Reason(word)
}

// Because returns the error, which must be one of this package, with a reason more precise than its kind. It is for package
// variables, and makes the reason known.
func Because(word string, err error) error { return NewReason(word).Of(err) }

// Of returns the error, which must be one of this package, with this reason.
func (r Reason) Of(err error) error {
	var kinded *Error
	if !errors.As(err, &kinded) {
		return err
	}
	reasoned := *kinded
	reasoned.reason = r
	return &reasoned
}

// Reasons returns all known reasons in order, without those that kinds stand for by themselves.
func Reasons() []Reason {
	registry.Lock()
	defer registry.Unlock()
	list := make([]Reason, 0, len(registry.reasons))
	for reason := range registry.reasons {
		list = append(list, reason)
	}
	slices.Sort(list)
	return list
}

// ReasonOf returns the reason of the outermost error in the chain that has a kind: its own, or else the one that its kind
// stands for. It is "" for nil.
func ReasonOf(err error) Reason {
	var kinded *Error
	if errors.As(err, &kinded) && kinded.reason != "" {
		return kinded.reason
	}
	return KindOf(err).Reason()
}

// Reason returns the reason of errors of which only the kind is known.
func (k Kind) Reason() Reason { return Reason(strings.ReplaceAll(string(k), " ", "_")) }
