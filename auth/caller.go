package auth

import "context"

// Caller is who stands behind a session token.
type Caller struct {
	UserID string // of a backend service, its name or id
	Server bool   // whether the caller is a backend service
}

// DeletedBy returns whom a deletion record names: the user, or nil for a backend service.
func (c Caller) DeletedBy() *string {
	if c.Server {
		return nil
	}
	return &c.UserID
}

type callerKey struct{}

// WithCaller returns a context that carries the caller.
func WithCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerFrom returns the caller that the context carries. Without one it returns the zero Caller, which may do nothing.
func CallerFrom(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}
