package wxpay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
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
	found   *found  // by the checks before sending; nil for nothing
	upload  *upload // the file of an upload, whose meta is body; nil otherwise
	header  *setting
	bounded bool    // by a time limit set on the chain
	linked  bool    // to a ready-made address
	unbind  bool    // the answer is taken as it is
	binding binding // of the last verified 2xx
	success []byte  // the body of the last one that nothing speaks against

	key [1]string // backs the header value that names the platform key
}

// prepare turns a chain into a flight. It is the last place where a mistake costs nothing: every error means that
// nothing was sent.
func (c Chain) prepare(ctx context.Context, method string, body any) (*flight, error) {
	f := &flight{client: c.client}
	f.Method, f.Judge = method, f
	query, rules, err := c.fill(ctx, f, body)
	if err == nil {
		if query, err = f.seal(ctx, f.plan, query, rules); err == nil {
			f.setQuery(query)
			if c.client.logNumbers {
				f.Number = f.logged
			}
			return f, nil
		}
	}
	return nil, c.mistake(f, err)
}

// logged is the merchant's own number for a log that is to have it.
func (f *flight) logged() string {
	if f.Operation == nil {
		return ""
	}
	return f.own(f.Operation.Number.Member)
}

// mistake makes the error of a call that could not be made ready. An earlier process may have sent it all the same.
func (c Chain) mistake(f *flight, err error) error {
	var mistake *CallError
	if errors.As(err, &mistake) {
		err = mistake.Err
	}
	f.Template = label(c.path)
	stage := StageBuild
	switch {
	case errors.As(err, new(*KeysError)):
		stage = StageKeys
	case errors.As(err, new(endedError)):
		stage = StageSend
	}
	outcome := NotSent
	for s := c.last; s != nil; s = s.before {
		if s.kind == settingSentBefore {
			outcome = Unknown
		}
	}
	return f.error(stage, outcome, err)
}

// fill makes f ready but for the encryption, for which it returns the query and the rules.
func (c Chain) fill(ctx context.Context, f *flight, body any) (query []*setting, rules []*rule, err error) {
	switch {
	case c.Err() != nil:
		return nil, nil, c.Err()
	case c.client == nil:
		return nil, nil, errors.New("the chain has no client: start it with Client.Chain or Client.At")
	case ctx == nil:
		return nil, nil, errors.New("the context is nil: pass context.Background() if there is none")
	case !slices.Contains(methods, f.Method):
		method := f.Method
		f.Method = ""
		return nil, nil, fmt.Errorf("the method %s is not one of %s", redact.Quote(method), strings.Join(methods, ", "))
	case f.Method == http.MethodGet && body != nil:
		return nil, nil, errors.New("a GET has no body: use Query")
	}
	if file, ok := body.(*upload); ok {
		f.upload = file
	} else if f.body, err = encode(body); err != nil {
		return nil, nil, err
	}
	f.Limits = c.client.limits
	return c.apply(ctx, f, isVerbatim(body))
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// apply reads the settings, the newest first, so that the first of a name is the one that counts. A verbatim body stays as it
// is.
func (c Chain) apply(ctx context.Context, f *flight, verbatim bool) (query []*setting, rules []*rule, err error) {
	var variables []variable
	var total, attempt time.Duration
	for s := c.last; s != nil; s = s.before {
		switch s.kind {
		case settingVar, settingRawVar:
			if !slices.ContainsFunc(variables, func(v variable) bool { return v.name == s.name }) {
				variables = append(variables, variable{s.name, s.value, s.kind == settingRawVar})
			}
		case settingQuery, settingQueryTime:
			if !slices.ContainsFunc(query, func(q *setting) bool { return q.name == s.name }) {
				query = append(query, s)
			}
		case settingHeader:
			if f.header == nil {
				f.header = s
			}
		case settingTimeout:
			if total == 0 {
				total = s.more.limit
			}
		case settingAttemptTimeout:
			if attempt == 0 {
				attempt = s.more.limit
			}
		case settingIdempotent:
			f.Idempotent = true
		case settingUnbind:
			f.unbind = true
		case settingEncrypt, settingPlain:
			rules = appendRule(rules, s)
		}
	}
	if f.bounded = total > 0; f.bounded || attempt > 0 {
		f.Limits = timeLimits(cmp.Or(total, c.client.timeout), cmp.Or(attempt, c.client.attemptTimeout))
	}
	path := c.String()
	escaped, decoded, err := expand(path, variables)
	if err != nil {
		return nil, nil, err
	}
	if f.Template = escaped; decoded != "" || suspicious(c.path) {
		f.Template = label(c.path)
	}
	f.url.Scheme, f.url.Host = c.client.base.Scheme, c.client.base.Host
	f.url.Path = escaped
	if decoded != "" { // also where both are the same: net/url would escape some characters that the caller left as they are
		f.url.Path, f.url.RawPath = decoded, escaped
	}
	facts := c.client.facts()
	if facts != nil {
		if operation, ok := facts.Lookup(f.Method, path); ok {
			f.Operation, f.Template = operation, operation.Path
		}
	}
	if f.upload != nil {
		meta, err := f.upload.ready(ctx, f, path)
		if err != nil {
			return nil, nil, err
		}
		if f.body, err = encode(meta); err != nil {
			return nil, nil, err
		}
	}
	f.plan = c.client.plans.of(f.Operation)
	for i, q := range query {
		if q.kind == settingQueryTime {
			if query[i], err = f.documentedTime(q); err != nil {
				return nil, nil, err
			}
		}
	}
	if defaults := c.client.defaults; f.Operation != nil && defaults != (callerDefaults{}) {
		query = defaults.fillQuery(f.Operation, query)
		if f.body != nil && f.upload == nil && !verbatim {
			f.body = defaults.fillBody(f.Operation, f.body)
		}
	}
	if facts != nil && c.client.preflight != PreflightOff {
		if err := f.check(ctx, path, query, variables); err != nil {
			return nil, nil, err
		}
	}
	return query, rules, nil
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
	base := http.Request{
		Method: f.Method, URL: &f.url, Host: f.url.Host, Header: make(http.Header, 6), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req := base.WithContext(middleware.WithCall(ctx, &f.Call))

	serial := f.serial
	if serial == "" {
		serial = f.client.keys.Serial()
	}
	key := f.key[:]
	if f.Attempts > 0 { // an earlier attempt may still be reading its own
		key = make([]string, 1)
	}
	key[0] = serial
	usual := f.client.headers
	req.Header["Accept"], req.Header["User-Agent"] = usual.accept, usual.agent
	if f.Stream {
		req.Header["Accept"] = acceptAll
	}
	if f.body != nil {
		req.Header["Content-Type"] = usual.content
	}
	if serial != "" {
		req.Header[apiv3.HeaderSerial] = key
	}
	if usual.language != nil {
		req.Header["Accept-Language"] = usual.language
	}
	var set []string
	for s := f.header; s != nil; s = s.before {
		if s.kind == settingHeader && !slices.Contains(set, s.name) {
			set = append(set, s.name)
			req.Header[s.name] = []string{s.value}
		}
	}
	switch {
	case f.upload != nil:
		f.upload.attach(f, req, f.body)
	case f.body != nil:
		f.SetBody(req, f.body, f.body)
	}
	return req
}

// send takes f through the pipeline and reads what comes back.
func (f *flight) send(ctx context.Context) (*Response, error) {
	if f.upload == nil { // an upload may last; see middleware.Call.SetStream
		f.Begun = time.Now()
		f.Deadline = f.Begun.Add(f.Limits.Total)
	}
	if f.upload == nil && (len(f.client.middlewares) > 0 || f.client.keys.Follows()) {
		f.Begun = time.Time{} // they may take their time
		// The attempts keep the deadline by themselves; this is for whoever waits besides them.
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, f.Deadline, f.Limits.TotalErr)
		defer cancel()
	}
	if ctx.Err() != nil {
		return nil, f.error(StageSend, f.Outcome(), fault.Cause(ctx))
	}
	if err := f.client.keys.Ready(ctx); err != nil {
		return nil, f.error(StageKeys, f.Outcome(), err)
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
	raw, text, err := middleware.ReadBody(res)
	if err != nil {
		return nil, f.error(StageSend, f.Outcome(), err)
	}
	answer := newResponse(f, res, raw, text)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, newAPIError(f, answer, f.client.clock())
	}
	return answer, nil
}

// usualHeaders are the header values that all requests of a client share. Each is full, so that an append elsewhere copies
// instead of overwriting.
type usualHeaders struct{ accept, agent, content, language []string }

func newUsualHeaders(agent, language string) usualHeaders {
	h := usualHeaders{accept: []string{"application/json"}, agent: []string{agent}, content: []string{"application/json"}}
	if language != "" {
		h.language = []string{language}
	}
	return h
}

// acceptAll is what a download says it takes; it is full, as usualHeaders are.
var acceptAll = []string{"*/*"}

// timeLimits makes the limits of calls, with the errors that they end with.
func timeLimits(total, attempt time.Duration) *middleware.TimeLimits {
	return &middleware.TimeLimits{
		Total: total, TotalErr: timeLimit(total), Attempt: attempt, AttemptErr: timeLimit(attempt), Still: total, StillErr: stillLimit(total),
	}
}

// timeLimit is the cause of a context that one of the client's time limits ended.
func timeLimit(bound time.Duration) error {
	return fault.Limit{Text: "no answer within %s (WithTimeout and WithAttemptTimeout set the limits)", Bound: bound}
}

// stillLimit is the cause of a context that ended because a file stood still on its way.
func stillLimit(bound time.Duration) error {
	return fault.Limit{Text: "the transfer stood still for %s (WithTimeout sets the limit)", Bound: bound}
}
