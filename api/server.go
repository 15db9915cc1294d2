package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/tidepool-org/clinic/api/gen"
	"github.com/tidepool-org/clinic/audit"
	"github.com/tidepool-org/clinic/auth"
	"github.com/tidepool-org/clinic/config"
	"github.com/tidepool-org/clinic/feed"
	"github.com/tidepool-org/clinic/idempotency"
	"github.com/tidepool-org/clinic/internal/traces"
)

// Params are what the HTTP face is made of.
type Params struct {
	fx.In

	Config      config.HTTP
	Document    *Document
	Handlers    *Handlers
	Tokens      *auth.Tokens
	Partners    *auth.Partners
	Memberships Memberships
	Health      *Health
	Metrics     *Metrics
	Trail       *audit.Trail
	Keys        *idempotency.Keys
	Tracer      *traces.Tracer `optional:"true"`
	Log         *zap.Logger
}

// Server is the HTTP server of the service.
type Server struct {
	config config.HTTP
	health *Health
	events *feed.Service
	http   *http.Server
	log    *zap.Logger
	// address is where the server really listens, which differs from the setting if that leaves the port open.
	address string
}

// NewServer returns a server that does not listen yet.
func NewServer(p Params) *Server {
	return &Server{
		config: p.Config, health: p.Health, events: p.Handlers.services.Events, log: p.Log,
		http: &http.Server{
			Handler:           NewHandler(p),
			ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout:       p.Config.ReadTimeout,
			IdleTimeout:       p.Config.IdleTimeout,
			ErrorLog:          zap.NewStdLog(p.Log),
		},
	}
}

// NewHandler returns the whole pipeline: what comes first decides the answer.
func NewHandler(p Params) http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = writeError
	e.Binder = binder{}
	e.IPExtractor = realIP(p.Config.Proxies())
	e.Pre(matchEncodedPath)
	beginAccess, endAccess := traceAccess(p.Tracer)
	e.Use(
		requestID,
		limitWrites(p.Config.WriteTimeout),
		traceRequest(p.Tracer),
		p.Metrics.measure,
		p.Metrics.watch,
		compress,
		accessLog(p.Log, p.Document.words),
		guardPanics(p.Log, p.Metrics.panics.Inc),
		requireReadableAddress,
		beginAccess,
		requireSession(p.Tokens, p.Log),
		findOperation(p.Document),
		authorize(p.Memberships, p.Partners),
		endAccess,
		limitBody(p.Config),
		attachRequest,
		validate,
		preconditions(p.Document, p.Handlers.services),
		repeatOnce(p.Keys, p.Handlers.services),
		recordAudit(p.Trail),
	)
	registerPublic(e, p.Health, p.Metrics, p.Document)
	registerViewer(e)
	gen.RegisterHandlers(e, gen.NewStrictHandler(p.Handlers, nil))
	return e
}

// matchEncodedPath makes the router see the path as it was sent. A parameter is decoded once, where it is bound, so that
// what looks like path syntax inside it stays data; and a fixed segment matches only if it is written plainly.
func matchEncodedPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		u.RawPath = u.EscapedPath()
		return next(c)
	}
}

// guardPanics turns a panic into the bland answer of any other unexpected error. One that cuts an answer off goes on.
func guardPanics(log *zap.Logger, count func()) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			defer func() {
				r := recover()
				if cut, ok := r.(cutOff); ok {
					setCause(c, cut.cause)
					r = http.ErrAbortHandler
				}
				switch r {
				case nil:
				case http.ErrAbortHandler:
					panic(r)
				default:
					count()
					log.Error("panic", zap.String("route", c.Path()), zap.String("value", panicText(r)), zap.ByteString("stack", debug.Stack()))
					err = errors.New("panic")
					if c.Response().Committed { // a part of the answer must not be taken for the whole
						setCause(c, err)
						panic(http.ErrAbortHandler)
					}
				}
			}()
			return next(c)
		}
	}
}

// panicText returns what may be logged of the value of a panic: what the runtime says, which holds no data, else the type.
func panicText(value any) string {
	if err, ok := value.(runtime.Error); ok {
		return cut(err.Error())
	}
	return fmt.Sprintf("%T", value)
}

// Listen takes the port and answers requests in the background. A server that ends by itself calls failed.
func (s *Server) Listen(ctx context.Context, failed func(error)) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.config.Address)
	if err != nil {
		return err
	}
	s.address = listener.Addr().String()
	s.log.Info("listening", zap.String("address", s.address))
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed(err)
		}
	}()
	return nil
}

// Address returns where the server listens, once it does.
func (s *Server) Address() string { return s.address }

// Shutdown turns the service unready, ends those who follow events, who go on elsewhere, closes the listener and waits for the requests in flight until the context ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.health.Stop()
	s.events.End()
	select {
	case <-time.After(s.config.DrainDelay):
	case <-ctx.Done():
	}
	return s.http.Shutdown(ctx)
}
