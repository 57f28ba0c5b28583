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
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/autofill"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/internal/upload"
	"github.com/wxpay-go/wxpay/middleware"
)

// flight is one logical call on its way: what the chain said, made ready once and sent as often as it takes.
type flight struct {
	middleware.Call

	client  *Client
	url     url.URL
	body    []byte                      // nil when there is none
	serial  string                      // of the platform key that the body is encrypted with; empty when nothing is
	renewed func(context.Context) error // encrypts once more; nil when nothing is encrypted
	plan    *sensitive.Plan
	found   *preflight.Report // by the checks before sending; nil for nothing
	upload  *sending          // the file of an upload, whose meta is body; nil otherwise
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
		if query, err = f.encrypt(ctx, query, rules); err == nil {
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
	return f.own(f.Operation.Number.Field)
}

// mistake makes the error of a call that could not be made ready. An earlier process may have sent it all the same.
func (c Chain) mistake(f *flight, err error) error {
	var mistake *CallError
	if errors.As(err, &mistake) {
		err = mistake.Err
	}
	f.Template = target.Label(c.path)
	stage := StageBuild
	switch {
	case errors.As(err, new(*KeysError)):
		stage = StageKeys
	case errors.As(err, new(*upload.EndedError)):
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
func (c Chain) fill(ctx context.Context, f *flight, body any) (query []target.Param, rules []sensitive.Rule, err error) {
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
	if file, ok := body.(*sending); ok {
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
func (c Chain) apply(ctx context.Context, f *flight, verbatim bool) (query []target.Param, rules []sensitive.Rule, err error) {
	var variables []target.Variable
	var total, attempt time.Duration
	for s := c.last; s != nil; s = s.before {
		switch s.kind {
		case settingVar, settingRawVar:
			if !slices.ContainsFunc(variables, func(v target.Variable) bool { return v.Name == s.name }) {
				variables = append(variables, target.Variable{Name: s.name, Value: s.value, Raw: s.kind == settingRawVar})
			}
		case settingQuery, settingQueryTime:
			if !slices.ContainsFunc(query, func(q target.Param) bool { return q.Name == s.name }) {
				query = append(query, target.Param{Name: s.name, Values: s.values, Time: s.kind == settingQueryTime})
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
			rules = append(rules, sensitive.Rule{Pointer: s.name, Names: s.values, Plain: s.kind == settingPlain})
		}
	}
	if f.bounded = total > 0; f.bounded || attempt > 0 {
		f.Limits = timeLimits(cmp.Or(total, c.client.timeout), cmp.Or(attempt, c.client.attemptTimeout))
	}
	path := c.String()
	escaped, decoded, err := target.Expand(path, variables)
	if err != nil {
		return nil, nil, err
	}
	if f.Template = escaped; decoded != "" || target.Suspicious(c.path) {
		f.Template = target.Label(c.path)
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
		limits := fact.UploadAt(path)
		f.Idempotent = f.Idempotent || limits != nil
		meta, err := f.upload.ready(ctx, f.Operation, limits, "wxpay-"+c.client.nonce())
		if err != nil {
			return nil, nil, err
		}
		if f.body, err = encode(meta); err != nil {
			return nil, nil, err
		}
	}
	f.plan = c.client.plans.Of(f.Operation)
	for i := range query {
		if query[i].Time {
			if err = f.formatTime(&query[i]); err != nil {
				return nil, nil, err
			}
		}
	}
	if defaults := c.client.defaults; f.Operation != nil && defaults != (autofill.Caller{}) {
		query = defaults.Query(f.Operation, query)
		if f.body != nil && f.upload == nil && !verbatim {
			f.body = defaults.Body(f.Operation, f.body)
		}
	}
	if facts != nil {
		if err := f.check(ctx, path, query, variables); err != nil {
			return nil, nil, err
		}
	}
	return query, rules, nil
}

// formatTime writes a time of the query in the form that the operation documents.
func (f *flight) formatTime(q *target.Param) error {
	layout := target.TimeLayout(f.Operation, q.Name)
	if facts, ok := f.client.facts().(*catalog.Catalog); ok && layout == "" {
		described, _ := facts.Described().Lookup(f.Method, f.Template)
		layout = target.TimeLayout(described, q.Name)
	}
	if layout == "" {
		return fmt.Errorf("query field %s is a time.Time, and the catalogue does not tell in which form the operation takes it: pass its text, such as at.Format(time.DateOnly)", redact.Quote(q.Name))
	}
	at, err := time.Parse(time.RFC3339, q.Values[0])
	q.Values = []string{at.Format(layout)}
	return err
}

// check compares the call with the catalogue before anything is encrypted or sent. path is the template as the caller wrote
// it.
func (f *flight) check(ctx context.Context, path string, query []target.Param, variables []target.Variable) error {
	r := preflight.Request{
		Method: f.Method, Path: path, Operation: f.Operation, Plan: f.plan, Variables: variables, Query: query, Body: f.body,
		Base: f.client.base, WrongScheme: f.client.wrongScheme(f.Operation, path), Catalog: f.client.facts(),
	}
	if f.Operation != nil && len(f.Operation.In.Header) > 0 {
		r.Header = f.setsHeader
	}
	f.found = preflight.Check(&r, f.client.silenced)
	if f.client.strict && f.found.Certain() {
		return newPreflightError(f.found)
	}
	f.found.Tell(ctx, f.client.logger, f.client.told, f.Template)
	return nil
}

// setsHeader reports whether the chain sets a header.
func (f *flight) setsHeader(name string) bool {
	for h := f.header; h != nil; h = h.before {
		if h.kind == settingHeader && h.name == name {
			return true
		}
	}
	return false
}

// encrypt encrypts the body of f and its query, once for all attempts. It returns the query to send; the caller's values
// are never changed.
func (f *flight) encrypt(ctx context.Context, query []target.Param, rules []sensitive.Rule) ([]target.Param, error) {
	plain := sensitive.Request{
		Body: f.body, Query: query, Plan: f.plan, Rules: rules, Note: f.Operation != nil && f.Operation.Inferred && f.renewed == nil,
	}
	if !plain.Concerned() {
		return query, nil
	}
	encrypted, err := plain.Encrypt(ctx, f.client.scheme, f.encryptionKey(ctx))
	if len(encrypted.Noted) > 0 && !slices.Contains(f.client.silenced, preflight.InferredEncryption) {
		if f.found == nil {
			f.found = preflight.NewReport(f.Method, f.Template, f.Operation, f.client.facts())
		}
		f.found.AddEncrypted(encrypted.Noted)
		f.found.Tell(ctx, f.client.logger, f.client.told, f.Template)
	}
	if err != nil {
		return nil, fieldError(err)
	}
	body := f.body
	f.body, f.serial = encrypted.Body, encrypted.Serial
	if encrypted.Serial != "" {
		f.renewed = func(ctx context.Context) error {
			f.body = body
			query, err := f.encrypt(ctx, query, rules)
			if err == nil {
				f.setQuery(query)
			}
			return err
		}
	}
	return encrypted.Query, nil
}

// encryptionKey returns the key that the chain names in Wechatpay-Serial, else the client's.
func (f *flight) encryptionKey(ctx context.Context) (key sensitive.Key) {
	for h := f.header; h != nil; h = h.before {
		if h.kind == settingHeader && h.name == apiv3.HeaderSerial {
			key.Named = true
			if key.PlatformKey, key.Err = f.client.keys.Find(ctx, h.value); key.Err != nil {
				key.Err = fmt.Errorf("it cannot be encrypted with the key that Wechatpay-Serial names, %s: %w", redact.Quote(h.value), key.Err)
			}
			return key
		}
	}
	key.PlatformKey, key.Err = f.client.keys.Encryption(ctx)
	return key
}

// setQuery writes the query, whose fields are newest first.
func (f *flight) setQuery(query []target.Param) {
	var space [128]byte
	f.url.RawQuery = string(target.AppendQuery(space[:0], query))
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
		f.upload.attach(&f.Call, req, f.body)
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
