package platform

import (
	"context"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tidepool-org/clinic/internal/flight"
)

const (
	firstRetry   = time.Second
	longestRetry = time.Minute
	// After a refused token was replaced, further refusals are believed for this long. A neighbour may answer 401 for
	// reasons of its own, and then every such call would cost a login.
	recoveryPause = 10 * time.Second
	// After a failed login on behalf of a call, calls do not try again for this long.
	failurePause = time.Second
)

// serverSession keeps this service logged in at a neighbour: it holds the own server token, refreshes it in the
// background and replaces it when it is refused. A good token is kept until a new one is there.
type serverSession struct {
	login func(context.Context) (string, error)
	now   func() time.Time
	log   *zap.Logger
	level zapcore.Level // of failed logins that nobody else reports

	shared flight.Group[string]
	mu     sync.Mutex
	token  string
	paused time.Time // no login on behalf of calls before this time
	failed error     // why the last login on behalf of calls failed

	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// current returns the token. Only while none was ever obtained it logs in first.
func (s *serverSession) current(ctx context.Context) (string, error) {
	if token := s.held(); token != "" {
		return token, nil
	}
	return s.replace(ctx, "")
}

// replace returns a token to use after the given one was refused: a newer one that is already there, or one from a login
// that all simultaneous callers share. It returns the refused one again when a login is not worth trying yet.
func (s *serverSession) replace(ctx context.Context, refused string) (string, error) {
	return s.shared.Do(ctx, "", func(ctx context.Context) (string, error) {
		s.mu.Lock()
		held, failed, wait := s.token, s.failed, s.now().Before(s.paused)
		s.mu.Unlock()
		switch {
		case held != refused:
			return held, nil
		case wait && held != "":
			return held, nil
		case wait:
			return "", failed
		}
		token, err := s.renew(ctx)
		switch {
		case ctx.Err() != nil: // nobody waits any more, which says nothing about the login
		case err != nil && refused != "":
			s.report(err) // the caller answers as if nobody had tried
			s.pause(failurePause, err)
		case err != nil:
			s.pause(failurePause, err)
		case refused != "":
			s.pause(recoveryPause, nil)
		}
		return token, err
	})
}

func (s *serverSession) pause(d time.Duration, failed error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused, s.failed = s.now().Add(d), failed
}

// renew logs in and keeps the token.
func (s *serverSession) renew(ctx context.Context) (string, error) {
	token, err := s.login(ctx)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
	return token, nil
}

func (s *serverSession) report(err error) {
	s.log.Log(s.level, "server login failed", zap.Error(err))
}

func (s *serverSession) held() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// keepFresh renews the token in the background until end is called: after first, and from then on at the interval, or
// sooner with growing delay while logins fail.
func (s *serverSession) keepFresh(first, interval time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.stopped.Go(func() {
		delay, retry := first, firstRetry
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(delay):
			}
			_, err := s.renew(ctx)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				s.report(err)
				delay, retry = retry, min(2*retry, longestRetry)
			default:
				delay, retry = interval, firstRetry
			}
		}
	})
}

// end stops the renewal and waits for it. It may be called without keepFresh.
func (s *serverSession) end() {
	if s.stop != nil {
		s.stop()
	}
	s.stopped.Wait()
}

// sendAuthorized sends a request with the own server token in the named header. When the token is refused, it logs in
// again once and repeats the call, all within one time limit.
func (u *upstream) sendAuthorized(ctx context.Context, session *serverSession, header string, r request) (answer, error) {
	ctx, cancel := u.limited(ctx)
	defer cancel()
	token, err := session.current(ctx)
	if err != nil {
		return answer{}, u.failure(r.operation, err)
	}
	first, err := u.send(ctx, r.with(header, token))
	if err != nil || first.status != http.StatusUnauthorized {
		return first, err
	}
	fresh, err := session.replace(ctx, token)
	if err != nil || fresh == token {
		return first, nil // without a new token the refusal is the answer
	}
	return u.send(ctx, r.with(header, fresh))
}

// with returns a copy of the request that has one header more.
func (r request) with(name, value string) request {
	header := r.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set(name, value)
	r.header = header
	return r
}
