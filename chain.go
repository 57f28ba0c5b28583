package wxpay

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/ensure"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
)

// Chain is a call in the making: a path, the values of its variables, query, headers and time
// limits. Start one with [Client.Chain] or [Client.At] and end it with a verb.
//
// It is an immutable value: every step returns a new Chain and leaves the old one unchanged, so a
// chain may be kept, branched and shared between goroutines. The verb returns the first mistake of
// the steps; then nothing was sent.
type Chain struct { // of few words: package api repeats its methods for every node
	client *Client
	path   string   // checked template, without its leading slash
	last   *setting // the settings, newest first; shared with the chains that this one was derived from
}

// setting is one step of a chain that is not a segment. Chains share the tail, so deriving copies
// nothing.
type setting struct {
	before *setting
	kind   settingKind
	name   string
	value  string
	values []string // of a query field
	more   *more    // of a kind that has neither
}

// more is what the less usual settings hold.
type more struct {
	limit  time.Duration // of a time limit
	moment time.Time     // the latest time at which the same call may have been made
	policy ensure.Policy
	paging Paging
	err    error // the first mistake; nothing follows it
}

type settingKind uint8

const (
	settingVar settingKind = iota
	settingRawVar
	settingQuery
	settingQueryTime // its value is a text of RFC 3339 until the operation is known, which has the form
	settingHeader
	settingTimeout
	settingAttemptTimeout
	settingIdempotent
	settingUntilFinal
	settingStepwise
	settingOnUnknown
	settingUnbind
	settingSentBefore
	settingEncrypt // values are the names of its pointer
	settingPlain
	settingPaging
	settingMistake
)

// Chain starts a call by its path, as the manual prints it, with or without the leading slash, and
// the values of its placeholders in their order:
//
//	client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number)
//
// Segments are literal and consist of letters, digits and - . _ ~; values fill {name}, under the
// rules of [Chain.Var]. Pass one value for each placeholder of this path, or none and fill them
// with Var or [Chain.Vars] later.
func (c *Client) Chain(path string, values ...any) Chain {
	return Chain{client: c}.Chain(path, values...)
}

// At starts a call by names in the form of properties: camelCase and PascalCase become kebab-case,
// _name_ becomes {name}. Names and paths may be mixed; these two are the same:
//
//	client.At("v3", "brand", "partner", "cardMember", "userFeeds")
//	client.At("v3/brand/partner/card-member", "userFeeds")
//
// It takes names only, since nothing distinguishes a value from a name beside it. Set values by
// name:
//
//	client.At("v3", "pay", "transactions", "outTradeNo", "_out_trade_no_").Var("out_trade_no", number)
//
// Because At rewrites names, it rejects a name that looks like a value: one that starts with a digit,
// or has a capital after anything but a lower-case letter. A segment of the API, such as h5Presign,
// is no value. Order numbers and openids belong in a variable.
func (c *Client) At(names ...string) Chain { return Chain{client: c}.At(names...) }

// Chain appends a path, with the values of its placeholders; see [Client.Chain].
func (c Chain) Chain(path string, values ...any) Chain {
	if c.Err() != nil {
		return c
	}
	checked, err := target.CheckPath(path)
	if err != nil {
		return c.fail(err)
	}
	if len(values) > 0 {
		names, err := target.Placeholders(path, len(values))
		if err != nil {
			return c.fail(err)
		}
		for i, name := range names {
			if strings.Contains(c.path, "{"+name+"}") {
				return c.fail(fmt.Errorf("path %s: {%s} stands in the path before it, and both would have one value", redact.Quote(path), name))
			}
			c = c.Var(name, values[i])
		}
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
	if c.Err() != nil {
		return c
	}
	if len(names) == 0 {
		return c.fail(fmt.Errorf("At was given no name"))
	}
	var space [128]byte
	path := append(space[:0], c.path...)
	for _, name := range names {
		var err error
		if path, err = target.AppendName(path, name, c.client.knowsSegment); err != nil {
			return c.fail(err)
		}
	}
	c.path = string(path)
	return c
}

// Var fills the placeholder {name}. The value, a string or an integer, is data: it is
// percent-encoded once, as one whole segment, and never changed otherwise. An empty value, "." and
// ".." are mistakes, and so is a name that the path does not have. Setting a name again replaces
// its value.
func (c Chain) Var(name string, value any) Chain {
	if _, secret := value.(Secret); secret {
		return c.fail(fmt.Errorf("the value of {%s} is a Secret, and nothing in a path is encrypted: pass string(secret) if it may travel in clear", name))
	}
	text, err := target.PathText(name, value)
	if err != nil {
		return c.fail(err)
	}
	return c.with(setting{kind: settingVar, name: name, value: text})
}

// Vars fills several placeholders, each as [Chain.Var] does: values is a map with their names as
// keys, or a struct with fields named by the rules of [Chain.Queries].
func (c Chain) Vars(values any) Chain { return c.setAll("Vars", values, Chain.Var) }

// RawVar fills the placeholder {name} with a value that is already percent-encoded, such as some
// ids in the platform's responses. It travels unchanged.
func (c Chain) RawVar(name, escaped string) Chain {
	return c.with(setting{kind: settingRawVar, name: name, value: escaped})
}

// Query sets a field of the query string. value is a string, an integer, a bool, a slice of one of
// these, whose elements become repeated fields, or a time.Time. Anything else is a mistake, which
// the verb returns. Setting a name again replaces it. Fields travel, and are signed, in the order
// of the calls that set them.
//
// A time is written in the form that the operation documents: as the date in Beijing, or to the
// second with the offset +08:00. It is a mistake if the catalogue does not know the form.
func (c Chain) Query(name string, value any) Chain {
	param, err := target.NewParam(name, value, secretType, sensitive.Token)
	if err != nil {
		return c.fail(err)
	}
	kind := settingQuery
	if param.Time {
		kind = settingQueryTime
	}
	return c.with(setting{kind: kind, name: name, values: param.Values})
}

// Queries sets several fields of the query string, each as [Chain.Query] does: those of a map, such
// as a [JSON] or url.Values, sorted by name, or those of a struct, in the order of its fields.
//
// The tag url, else json, names a struct's field; "-" leaves it out, and a field without a name is
// a mistake. A pointer sends the value that it points to. Nil is left out, and so is an empty value
// under omitempty or omitzero.
func (c Chain) Queries(fields any) Chain { return c.setAll("Queries", fields, Chain.Query) }

// setAll sets the fields of a map or a struct one by one.
func (c Chain) setAll(verb string, all any, set func(Chain, string, any) Chain) Chain {
	list, err := target.NamedValues(all)
	if err != nil {
		return c.fail(fmt.Errorf("%s: %w", verb, err))
	}
	for _, each := range list {
		c = set(c, each.Name, each.Value)
	}
	return c
}

// Header sets a request header. Headers that the protocol fills itself (Authorization, Content-Type
// and the like) are mistakes. Setting a name again replaces it.
func (c Chain) Header(name, value string) Chain {
	key := http.CanonicalHeaderKey(name)
	if err := checkHeader(key, value); err != nil {
		return c.fail(err)
	}
	return c.with(setting{kind: settingHeader, name: key, value: value})
}

// Timeout bounds this call with all its attempts, in place of the client's [WithTimeout], which has
// the rules for uploads and downloads.
func (c Chain) Timeout(limit time.Duration) Chain {
	if err := checkLimit("Timeout", limit); err != nil {
		return c.fail(err)
	}
	return c.with(setting{kind: settingTimeout, more: &more{limit: limit}})
}

// AttemptTimeout bounds each attempt of this call, in place of the client's [WithAttemptTimeout].
func (c Chain) AttemptTimeout(limit time.Duration) Chain {
	if err := checkLimit("AttemptTimeout", limit); err != nil {
		return c.fail(err)
	}
	return c.with(setting{kind: settingAttemptTimeout, more: &more{limit: limit}})
}

// Idempotent vouches that sending the same request again does no harm, because the platform takes
// the same number with the same parameters for the same operation. The client then retries after
// network failures and temporary API errors, as it does for a read. It still never retries an
// operation that is documented as never to be repeated, such as payment by code.
func (c Chain) Idempotent() Chain { return c.mark(settingIdempotent) }

// Unbind accepts the response of this call even if it names other numbers than the call or shows
// none of the documented fields. It is for an operation whose documentation is wrong: without it
// the client takes such a response for another call's, and the outcome is unknown.
func (c Chain) Unbind() Chain { return c.mark(settingUnbind) }

// Err returns the first mistake of the steps, nil if there is none. The verbs return it too.
func (c Chain) Err() error {
	if c.last != nil && c.last.kind == settingMistake {
		return c.last.more.err
	}
	return nil
}

// String returns the path template, such as /v3/pay/transactions/id/{transaction_id}. Values are
// not in it.
func (c Chain) String() string { return "/" + c.path }

// Format prints what String returns under every verb.
func (c Chain) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.String()) }

// with adds a setting. It is not inlined, because its callers are, some of them a thousand times in
// package api.
//
//go:noinline
func (c Chain) with(s setting) Chain {
	if c.Err() != nil {
		return c
	}
	s.before = c.last
	c.last = &s
	return c
}

// mark adds a setting that has only a kind.
//
//go:noinline
func (c Chain) mark(kind settingKind) Chain { return c.with(setting{kind: kind}) }

func (c Chain) fail(err error) Chain {
	return c.with(setting{kind: settingMistake, more: &more{err: &CallError{Stage: StageBuild, Outcome: NotSent, Template: target.Label(c.path), Err: err}}})
}

// ownHeaders are filled by the protocol; a caller's value would break the call or be signed over.
var ownHeaders = map[string]bool{
	"Authorization": true, "Content-Type": true, "Content-Length": true, "Content-Encoding": true, "Transfer-Encoding": true,
	"Host": true, "Connection": true, "Accept-Encoding": true, "Expect": true, "Trailer": true, "Upgrade": true, "User-Agent": true,
	apiv3.HeaderSignature: true, apiv3.HeaderNonce: true, apiv3.HeaderTimestamp: true,
}

func checkHeader(key, value string) error {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool {
		return r > 0x7e || !target.Unreserved(byte(r)) && !strings.ContainsRune("!#$%&'*+^`|", r)
	}) {
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
