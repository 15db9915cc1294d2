package api

// valueOf returns what p points to, or the zero value for nil.
func valueOf[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// valueOr returns what p points to, or the other value for nil.
func valueOr[T any](p *T, other T) T {
	if p == nil {
		return other
	}
	return *p
}

// unlessEmpty returns nil for "".
func unlessEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
