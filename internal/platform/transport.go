package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidepool-org/clinic/internal/traces"
)

const (
	// answerLimit is far above any account, profile or token, and far below what would hurt.
	answerLimit = 1 << 20
	// idleConnections bounds the idle connections kept to one host. The library's default of 2 would make a busy
	// instance open a new connection for most token checks.
	idleConnections = 100
)

// errImpossiblePath is returned for a path that no server could tell from another one, see escapePath.
var errImpossiblePath = errors.New("path segment cannot be sent")

// upstream is one neighbour: where it is and how it is called.
type upstream struct {
	name    string
	address *url.URL // nil when no address was configured
	client  *http.Client
	options Options
}

// request is one HTTP request in terms of the neighbour's interface.
type request struct {
	operation string   // what it is for, in metrics and error texts
	method    string   //
	path      []string // raw segments below the upstream's address
	header    http.Header
	body      any   // sent as JSON; nil means no body
	limit     int64 // bytes of the answer that are acceptable; 0 means answerLimit
}

// answer is what came back, read completely.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// newUpstream refuses an address that is no absolute http or https URL. An empty one is accepted, because the configuration
// allows it for neighbours that not every deployment uses; calls then fail.
func newUpstream(name, address string, client *http.Client, options Options) (*upstream, error) {
	base, err := parseAddress(name, address)
	if err != nil {
		return nil, err
	}
	return &upstream{name: name, address: base, client: client, options: options}, nil
}

// parseAddress does not repeat the address in its error: it may carry credentials.
func parseAddress(name, address string) (*url.URL, error) {
	if address == "" {
		return nil, nil // no address is a valid configuration
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return nil, fmt.Errorf("address of the %s service is not an http or https URL", name)
	}
	return parsed, nil
}

// direct returns a client for neighbours inside the cluster, which are never reached through a proxy.
func direct(options Options) *http.Client {
	return newHTTPClient(options, nil)
}

// proxied returns a client that honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
func proxied(options Options) *http.Client {
	return newHTTPClient(options, http.ProxyFromEnvironment)
}

func newHTTPClient(options Options, proxy func(*http.Request) (*url.URL, error)) *http.Client {
	dialer := &net.Dialer{Timeout: options.ConnectTimeout, KeepAlive: 30 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               proxy,
			DialContext:         dialer.DialContext,
			TLSHandshakeTimeout: options.ConnectTimeout,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: idleConnections,
			IdleConnTimeout:     90 * time.Second,
		},
		// A redirect would carry our server token, which is no standard header, to whatever host it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// limited returns a context that ends when the time for a whole call is up.
func (u *upstream) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, u.options.CallTimeout)
}

// send carries out one request. The caller limits ctx. An error means that there is no usable answer; any status is one.
func (u *upstream) send(ctx context.Context, r request) (answer, error) {
	ctx, end := u.options.Tracer.Call(ctx, u.name, r.operation)
	httpRequest, err := u.httpRequest(ctx, r)
	if err != nil {
		end("error")
		return answer{}, err
	}
	if u.isNeighbour() {
		traces.Inject(ctx, httpRequest.Header)
	}
	started := time.Now()
	result, err := u.exchange(httpRequest, r)
	status := strconv.Itoa(result.status)
	if err != nil {
		err = withoutURL(ctx, err)
		status = failureStatus(err)
		err = u.failure(r.operation, err)
	}
	u.options.Observe(u.name, r.operation, status, time.Since(started))
	end(status)
	return result, err
}

// isNeighbour reports whether the upstream belongs to the same platform, and so to the same traces.
func (u *upstream) isNeighbour() bool { return u.name != "xealth" && u.name != "openid" }

func (u *upstream) httpRequest(ctx context.Context, r request) (*http.Request, error) {
	if u.address == nil {
		return nil, fmt.Errorf("%s service: no address configured", u.name)
	}
	target, err := escapePath(u.address, r.path)
	if err != nil {
		return nil, u.failure(r.operation, err)
	}
	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, u.failure(r.operation, errors.New("body cannot be encoded"))
		}
		body = bytes.NewReader(encoded)
	}
	// The URL is set afterwards, so that nothing parses, and perhaps changes, the escaped path again.
	httpRequest, err := http.NewRequestWithContext(ctx, r.method, u.address.Scheme+"://"+u.address.Host, body)
	if err != nil {
		return nil, u.failure(r.operation, errors.New("request cannot be made"))
	}
	httpRequest.URL = target
	for name, values := range r.header {
		httpRequest.Header[name] = values
	}
	if r.body != nil && httpRequest.Header.Get("Content-Type") == "" {
		httpRequest.Header.Set("Content-Type", "application/json")
	}
	return httpRequest, nil
}

func (u *upstream) exchange(httpRequest *http.Request, r request) (answer, error) {
	response, err := u.client.Do(httpRequest)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }() // all that matters of it was read, or reading failed
	limit := r.limit
	if limit == 0 {
		limit = answerLimit
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return answer{}, err
	}
	if int64(len(body)) > limit {
		return answer{}, errAnswerTooLarge
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}, nil
}

// escapePath appends each raw segment as exactly one percent-encoded segment to the base address.
//
// Empty segments and the two dot segments are refused: no encoding protects them, as servers and proxies drop them or
// walk up the path even if they are escaped.
func escapePath(base *url.URL, segments []string) (*url.URL, error) {
	target := *base
	target.Path = strings.TrimRight(base.Path, "/")
	target.RawPath = strings.TrimRight(base.EscapedPath(), "/")
	for _, segment := range segments {
		if segment == "" || segment == "." || segment == ".." {
			return nil, errImpossiblePath
		}
		target.Path += "/" + segment
		target.RawPath += "/" + url.PathEscape(segment)
	}
	return &target, nil
}
