package wxpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
)

// flight is one logical call on its way: what the chain said, made ready once and sent as often as it takes.
type flight struct {
	middleware.Call

	client  *Client
	url     url.URL
	body    []byte                      // nil when there is none
	serial  string                      // of the platform key that the body is encrypted with; empty when nothing is
	reseal  func(context.Context) error // encrypts once more; nil when nothing is encrypted
	plan    *plan
	header  *setting
	total   time.Duration
	attempt time.Duration

	values [5]string // backs the header's values, so that they cost no slice each
}

// serialValue is the index in flight.values of what Wechatpay-Serial says.
const serialValue = 3

// prepare turns a chain into a flight. It is the last place where a mistake costs nothing: every error means that
// nothing was sent.
func (c Chain) prepare(ctx context.Context, method string, body any) (*flight, error) {
	f := &flight{client: c.client}
	f.Method = method
	if err := c.fill(ctx, f, body); err != nil {
		var mistake *CallError
		if errors.As(err, &mistake) {
			err = mistake.Err
		}
		f.Template = label(c.path)
		stage := StageBuild
		if errors.As(err, new(*KeysError)) {
			stage = StageKeys
		}
		return nil, f.error(stage, NotSent, err)
	}
	return f, nil
}

func (c Chain) fill(ctx context.Context, f *flight, body any) (err error) {
	switch {
	case c.err != nil:
		return c.err
	case c.client == nil:
		return errors.New("the chain has no client: start it with Client.Chain or Client.At")
	case ctx == nil:
		return errors.New("the context is nil: pass context.Background() if there is none")
	case !slices.Contains(methods, f.Method):
		method := f.Method
		f.Method = ""
		return fmt.Errorf("the method %s is not one of %s", quote(method), strings.Join(methods, ", "))
	case f.Method == http.MethodGet && body != nil:
		return errors.New("a GET has no body: use Query")
	}
	if f.body, err = encode(body); err != nil {
		return err
	}
	f.total, f.attempt = c.client.timeout, c.client.attemptTimeout
	return c.apply(ctx, f)
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// apply reads the settings, the newest first, so that the first of a name is the one that counts.
func (c Chain) apply(ctx context.Context, f *flight) (err error) {
	var variables []variable
	var query []*setting
	var rules []*rule
	total, attempt := false, false
	for s := c.last; s != nil; s = s.before {
		switch s.kind {
		case settingVar, settingRawVar:
			if !slices.ContainsFunc(variables, func(v variable) bool { return v.name == s.name }) {
				variables = append(variables, variable{s.name, s.value, s.kind == settingRawVar})
			}
		case settingQuery:
			if !slices.ContainsFunc(query, func(q *setting) bool { return q.name == s.name }) {
				query = append(query, s)
			}
		case settingHeader:
			if f.header == nil {
				f.header = s
			}
		case settingTimeout:
			if !total {
				f.total, total = s.limit, true
			}
		case settingAttemptTimeout:
			if !attempt {
				f.attempt, attempt = s.limit, true
			}
		case settingEncrypt, settingPlain:
			rules = appendRule(rules, s)
		}
	}
	escaped, decoded, err := expand(c.path, variables)
	if err != nil {
		return err
	}
	if f.Template = escaped; decoded != "" || suspicious(c.path) {
		f.Template = label(c.path)
	}
	f.url.Scheme, f.url.Host = c.client.base.Scheme, c.client.base.Host
	f.url.Path = escaped
	if decoded != "" && decoded != escaped {
		f.url.Path, f.url.RawPath = decoded, escaped
	}
	if c.client.catalog != nil {
		if operation, ok := c.client.catalog.Lookup(f.Method, "/"+c.path); ok {
			f.Operation, f.Template = operation, operation.Path
		}
	}
	f.plan = c.client.plans.of(f.Operation)
	if c.client.preflight != PreflightOff {
		if err := f.check(ctx, "/"+c.path, query, variables); err != nil {
			return err
		}
	}
	if query, err = f.seal(ctx, f.plan, query, rules); err != nil {
		return err
	}
	f.setQuery(query)
	return nil
}

// setQuery writes the query, whose members are newest first.
func (f *flight) setQuery(query []*setting) {
	var raw []byte
	for _, s := range slices.Backward(query) {
		for _, value := range s.values {
			if len(raw) > 0 {
				raw = append(raw, '&')
			}
			raw = append(appendEscaped(raw, s.name), '=')
			raw = appendEscaped(raw, value)
		}
	}
	f.url.RawQuery = string(raw)
}

// request makes the HTTP request of f, complete but for what signing adds.
func (f *flight) request(ctx context.Context) *http.Request {
	// The method is checked and the URL is replaced, so this cannot fail.
	req, err := http.NewRequestWithContext(middleware.WithCall(ctx, &f.Call), f.Method, "", nil)
	if err != nil {
		panic("wxpay: " + err.Error())
	}
	*req.URL = f.url
	req.Host = f.url.Host

	// Each value is a slice of one element of f.values: full, so that an append elsewhere copies instead of overwriting.
	serial := f.serial
	if serial == "" {
		serial = f.client.keys.serial(f.client.clock())
	}
	f.values = [...]string{"application/json", f.client.userAgent, "application/json", serial, f.client.language}
	for i, name := range [...]string{"Accept", "User-Agent", "Content-Type", apiv3.HeaderSerial, "Accept-Language"} {
		if f.values[i] != "" && (name != "Content-Type" || f.body != nil) {
			req.Header[name] = f.values[i : i+1 : i+1]
		}
	}
	var set []string
	for s := f.header; s != nil; s = s.before {
		if s.kind == settingHeader && !slices.Contains(set, s.name) {
			set = append(set, s.name)
			req.Header[s.name] = []string{s.value}
		}
	}
	if f.body != nil {
		f.SetBody(req, f.body, f.body)
	}
	return req
}

// send takes f through the pipeline and reads what comes back.
func (f *flight) send(ctx context.Context) (*Response, error) {
	// One attempt is all there is, so the nearer limit rules.
	limit := min(f.total, f.attempt)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, f.client.timeLimit(limit))
	defer cancel()
	if ctx.Err() != nil {
		return nil, f.error(StageSend, NotSent, context.Cause(ctx))
	}
	if err := f.client.keys.ready(ctx); err != nil {
		return nil, f.error(StageKeys, NotSent, err)
	}
	res, err := f.exchange(ctx)
	if err != nil && f.renew(ctx, err) {
		return f.exchange(ctx)
	}
	return res, err
}

// exchange sends f and reads what comes back.
func (f *flight) exchange(ctx context.Context) (*Response, error) {
	res, err := f.client.pipeline.RoundTrip(f.request(ctx))
	if err != nil {
		return nil, f.sendFailed(err)
	}
	raw, err := middleware.ReadBody(res)
	if err != nil {
		return nil, f.error(StageSend, Unknown, err)
	}
	answer := newResponse(f, res, raw)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, newAPIError(f, answer, f.client.clock())
	}
	return answer, nil
}

// timeLimit returns the cause of a context that limit ends; the usual one is made once.
func (c *Client) timeLimit(limit time.Duration) error {
	if limit == c.timeout || limit == c.attemptTimeout {
		return c.usualLimits[limit]
	}
	return timeLimit(limit)
}

// timeLimit is the cause of a context that one of the client's time limits ended. It is context.DeadlineExceeded.
type timeLimit time.Duration

func (l timeLimit) Error() string {
	return fmt.Sprintf("no answer within %s (WithTimeout and WithAttemptTimeout set the limits)", time.Duration(l))
}

func (l timeLimit) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout makes it a timeout in the sense of net.Error.
func (l timeLimit) Timeout() bool { return true }
