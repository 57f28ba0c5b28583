package wxpay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Chain is a call in the making: a path, the values of its variables, query, headers and time limits. Start one with
// [Client.Chain] or [Client.At], end it with a verb.
//
// It is an immutable value: every step returns a new Chain and leaves the old one as it was, so a chain may be kept,
// branched and shared between goroutines. A mistake made on the way is remembered and returned by the verb; then
// nothing has been sent.
type Chain struct {
	client *Client
	path   string   // checked template, without its leading slash
	last   *setting // the settings, newest first; shared with the chains this one was derived from
	paging *Paging  // how its list is paged; nil asks the catalogue
	err    error    // the first mistake
}

// setting is one step of a chain that is not a segment. Chains share the tail, so deriving copies nothing.
type setting struct {
	before *setting
	kind   settingKind
	name   string
	value  string
	values []string      // of a query member
	limit  time.Duration // of a time limit
}

type settingKind uint8

const (
	settingVar settingKind = iota
	settingRawVar
	settingQuery
	settingHeader
	settingTimeout
	settingAttemptTimeout
	settingRepeatable
	settingUntilFinal
	settingOnUnknown
	settingInDoubt // limit is the moment, since 1970
	settingEncrypt // values are the names of its pointer
	settingPlain
)

// Chain starts a call by its path as the manual prints it, with or without the leading slash, for example
//
//	client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}")
//
// Segments are taken literally and consist of letters, digits and - . _ ~; values go into {name} and [Chain.Var].
func (c *Client) Chain(path string) Chain { return Chain{client: c}.Chain(path) }

// At starts a call by names as one would write properties: camelCase and PascalCase become kebab-case, _name_ becomes
// {name}. Names and paths may be mixed, so these are the same:
//
//	client.At("v3", "brand", "partner", "cardMember", "userFeeds")
//	client.At("v3/brand/partner/card-member", "userFeeds")
//
// Because names are rewritten, At refuses what looks like a value (it starts with a digit, or has a capital after
// anything but a lower-case letter) and is no segment of the API, as h5Presign is: order numbers and openids go into a
// variable.
func (c *Client) At(names ...string) Chain { return Chain{client: c}.At(names...) }

// Chain appends a path; see [Client.Chain].
func (c Chain) Chain(path string) Chain {
	if c.err != nil {
		return c
	}
	checked, err := checkPath(path)
	if err != nil {
		return c.fail(err)
	}
	switch {
	case c.path == "":
		c.path = checked
	case strings.HasSuffix(c.path, "/"):
		c.path += checked
	default:
		c.path += "/" + checked
	}
	return c
}

// At appends names; see [Client.At].
func (c Chain) At(names ...string) Chain {
	if c.err != nil {
		return c
	}
	if len(names) == 0 {
		return c.fail(fmt.Errorf("At was given no name"))
	}
	var space [128]byte
	path := append(space[:0], c.path...)
	for _, name := range names {
		var err error
		if path, err = appendName(path, name, c.client); err != nil {
			return c.fail(err)
		}
	}
	c.path = string(path)
	return c
}

// Var fills the placeholder {name}. The value is data: it is percent-encoded once, as one whole segment, and never
// changed otherwise. An empty value, "." and ".." are refused, and so is a name that the path does not have. Setting a
// name again replaces its value.
func (c Chain) Var(name, value string) Chain {
	return c.with(setting{kind: settingVar, name: name, value: value})
}

// RawVar fills the placeholder {name} with a value that is percent-encoded already, as some ids taken from the
// platform's answers are. It travels as it is.
func (c Chain) RawVar(name, escaped string) Chain {
	return c.with(setting{kind: settingRawVar, name: name, value: escaped})
}

// Query sets a member of the query string. value is a string, an integer, a bool, or a slice of one of these, whose
// elements become repeated members; anything else is a mistake that the verb returns. Setting a name again replaces it.
// Members travel, and are signed, in the order they were set.
func (c Chain) Query(name string, value any) Chain {
	if name == "" {
		return c.fail(fmt.Errorf("a query member has an empty name"))
	}
	texts, ok := queryTexts(value)
	if !ok {
		return c.fail(fmt.Errorf("query member %s: %T is not a string, an integer, a bool or a slice of these", redact.Quote(name), value))
	}
	return c.with(setting{kind: settingQuery, name: name, values: texts})
}

// Header sets a request header. The headers that the protocol fills itself (Authorization, Content-Type and the like)
// are refused. Setting a name again replaces it.
func (c Chain) Header(name, value string) Chain {
	key := http.CanonicalHeaderKey(name)
	if err := checkHeader(key, value); err != nil {
		return c.fail(err)
	}
	return c.with(setting{kind: settingHeader, name: key, value: value})
}

// Timeout bounds this call with all its attempts, in place of the client's [WithTimeout], which tells what that means for
// a download.
func (c Chain) Timeout(limit time.Duration) Chain {
	if err := checkLimit("Timeout", limit); err != nil {
		return c.fail(err)
	}
	return c.with(setting{kind: settingTimeout, limit: limit})
}

// AttemptTimeout bounds each attempt of this call, in place of the client's [WithAttemptTimeout].
func (c Chain) AttemptTimeout(limit time.Duration) Chain {
	if err := checkLimit("AttemptTimeout", limit); err != nil {
		return c.fail(err)
	}
	return c.with(setting{kind: settingAttemptTimeout, limit: limit})
}

// Repeatable vouches for this call: sending the same request again does no harm, because the platform takes the same
// number with the same parameters for the same thing. Then trouble on the way and passing refusals are repeated, as for a
// read. What is documented as never to be repeated, such as payment by code, is not repeated all the same.
func (c Chain) Repeatable() Chain { return c.with(setting{kind: settingRepeatable}) }

// Err returns the first mistake made on the way, nil if there is none. The verbs return it too.
func (c Chain) Err() error { return c.err }

// String returns the path template, such as /v3/pay/transactions/id/{transaction_id}. Values are not in it.
func (c Chain) String() string { return "/" + c.path }

// Get reads.
func (c Chain) Get(ctx context.Context) (*Response, error) { return c.Do(ctx, http.MethodGet, nil) }

// Delete deletes. For the few operations that take a body with DELETE use Do.
func (c Chain) Delete(ctx context.Context) (*Response, error) {
	return c.Do(ctx, http.MethodDelete, nil)
}

// Post sends body; see [Chain.Do].
func (c Chain) Post(ctx context.Context, body any) (*Response, error) {
	return c.Do(ctx, http.MethodPost, body)
}

// Put sends body; see [Chain.Do].
func (c Chain) Put(ctx context.Context, body any) (*Response, error) {
	return c.Do(ctx, http.MethodPut, body)
}

// Patch sends body; see [Chain.Do].
func (c Chain) Patch(ctx context.Context, body any) (*Response, error) {
	return c.Do(ctx, http.MethodPatch, body)
}

// Do makes the call: GET, POST, PUT, PATCH or DELETE.
//
// body is marshalled to JSON, without HTML escaping: a struct, a map, [JSON]. A json.RawMessage, []byte or string
// travels verbatim. A bare nil means no body; what marshals to null is a mistake.
//
// The error of a call that did not end with a verified 2xx is an [*APIError], a [*VerifyError] or a [*CallError]; ask
// [OutcomeOf] whether the operation may have taken effect.
func (c Chain) Do(ctx context.Context, method string, body any) (*Response, error) {
	f, err := c.prepare(ctx, method, body)
	if err != nil {
		return nil, err
	}
	return f.send(ctx)
}

// GetAsync is [Chain.Get] in the background.
func (c Chain) GetAsync(ctx context.Context) *Future { return c.DoAsync(ctx, http.MethodGet, nil) }

// DeleteAsync is [Chain.Delete] in the background.
func (c Chain) DeleteAsync(ctx context.Context) *Future {
	return c.DoAsync(ctx, http.MethodDelete, nil)
}

// PostAsync is [Chain.Post] in the background.
func (c Chain) PostAsync(ctx context.Context, body any) *Future {
	return c.DoAsync(ctx, http.MethodPost, body)
}

// PutAsync is [Chain.Put] in the background.
func (c Chain) PutAsync(ctx context.Context, body any) *Future {
	return c.DoAsync(ctx, http.MethodPut, body)
}

// PatchAsync is [Chain.Patch] in the background.
func (c Chain) PatchAsync(ctx context.Context, body any) *Future {
	return c.DoAsync(ctx, http.MethodPatch, body)
}

// DoAsync is [Chain.Do] in the background. The body is marshalled before DoAsync returns, so it may be changed
// afterwards. At most WithConcurrency calls run at once and at most WithQueue wait; beyond that the Future fails at once
// with [ErrQueueFull]. The time limits begin when the call runs, not while it waits; ctx ends it in both states.
func (c Chain) DoAsync(ctx context.Context, method string, body any) *Future {
	f, err := c.prepare(ctx, method, body)
	if err != nil {
		return failed(err)
	}
	return c.client.queue.submit(ctx, f)
}

// Request returns the signed request without sending it, for tools and tests. It carries no deadline of ours; its
// signature is good for five minutes.
func (c Chain) Request(ctx context.Context, method string, body any) (*http.Request, error) {
	f, err := c.prepare(ctx, method, body)
	if err != nil {
		return nil, err
	}
	if err := f.client.keys.ready(ctx); err != nil {
		return nil, f.error(StageKeys, NotSent, err)
	}
	req := f.request(ctx)
	if err := c.client.signer.Sign(req); err != nil {
		return nil, f.error(StageSign, NotSent, err)
	}
	return req, nil
}

func (c Chain) with(s setting) Chain {
	if c.err != nil {
		return c
	}
	s.before = c.last
	c.last = &s
	return c
}

func (c Chain) fail(err error) Chain {
	if c.err == nil {
		c.err = &CallError{Stage: StageBuild, Outcome: NotSent, Template: label(c.path), Err: err}
	}
	return c
}

// queryTexts returns the text of a query member, or of each element of a slice. Types with a kind of their own, such as
// a named string, are taken as what they are made of.
func queryTexts(value any) (texts []string, ok bool) {
	switch value.(type) {
	case nil, []byte, json.RawMessage, time.Duration:
		return nil, false
	}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		text, ok := queryText(v)
		return []string{text}, ok
	}
	for i := range v.Len() {
		text, ok := queryText(v.Index(i))
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

func queryText(v reflect.Value) (string, bool) {
	switch {
	case v.Type() == secretType:
		token, err := Secret(v.String()).MarshalText()
		return string(token), err == nil
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	}
	return "", false
}

func checkLimit(what string, limit time.Duration) error {
	if limit <= 0 {
		return fmt.Errorf("%s is %s, it must be positive", what, limit)
	}
	return nil
}

// ownHeaders are filled by the protocol; a caller's value would break the call or be signed over.
var ownHeaders = map[string]bool{
	"Authorization": true, "Content-Type": true, "Content-Length": true, "Content-Encoding": true, "Transfer-Encoding": true,
	"Host": true, "Connection": true, "Accept-Encoding": true, "Expect": true, "Trailer": true, "Upgrade": true, "User-Agent": true,
	apiv3.HeaderSignature: true, apiv3.HeaderNonce: true, apiv3.HeaderTimestamp: true,
}

func checkHeader(key, value string) error {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r > 0x7e || !unreserved[byte(r)] && !strings.ContainsRune("!#$%&'*+^`|", r) }) {
		return fmt.Errorf("the header name %s is not valid", redact.Quote(key))
	}
	if ownHeaders[key] {
		return fmt.Errorf("the header %s is filled by the client and cannot be set", key)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7f }) {
		return fmt.Errorf("the value of header %s has a control character", key)
	}
	return nil
}
