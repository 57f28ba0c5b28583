package gate

import (
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Paths of links that the catalogue does not list.
const (
	EncryptedBills = "/v3/bill/downloadurl"
	PayScoreBills  = "/v3/payscore/bill/downloadurl"
	FapiaoFiles    = "/v3/new-tax-control-fapiao/download"
)

// linked are the operations behind them.
var linked = map[string]*fact.Operation{
	EncryptedBills: link(EncryptedBills, false),
	PayScoreBills:  link(PayScoreBills, false),
	FapiaoFiles:    link(FapiaoFiles, true),
}

func link(path string, unsigned bool) *fact.Operation {
	return &fact.Operation{
		Method: "GET", Path: path, Name: "下载文件", Status: fact.Linked, Unsigned: unsigned,
		In:       fact.Request{Query: []fact.Field{{Name: "token", Type: fact.String, Required: true}}},
		Response: fact.StreamResponse, Success: http.StatusOK, Content: "data", Signature: fact.NoSignature,
	}
}

// Documented returns the facts of an operation.
func Documented(method, path string) *fact.Operation {
	if o := linked[path]; o != nil {
		return o
	}
	o, ok := catalog.V3().Lookup(method, path)
	if !ok {
		panic(fmt.Sprintf("sandbox: the catalogue lacks %s %s", method, path)) // found by any test
	}
	return o
}

// Told makes what an operation does of a function that accepts or finds a record, and of one that
// tells it.
func Told[T any](do func(*Call) (T, *say.Rejection), tell func(T) map[string]any) func(*Call) (any, *say.Rejection) {
	return func(c *Call) (any, *say.Rejection) {
		record, rejected := do(c)
		if rejected != nil {
			return nil, rejected
		}
		return tell(record), nil
	}
}

// Serve registers what a flow does for operations. Of operations that look alike, they are those
// that are served.
func (m *Merchant) Serve(operations ...Operation) {
	for i := range operations {
		o := &operations[i]
		m.operations[firstLike(o.Operation)] = o
	}
}

// Served yields the operations that flows serve, in no order.
func (m *Merchant) Served() iter.Seq[*Operation] { return maps.Values(m.operations) }

// firsts are the results of first, by operation: a test starts many sandboxes.
var firsts sync.Map

func firstLike(o *fact.Operation) *fact.Operation {
	found, known := firsts.Load(o)
	if !known {
		found, _ = firsts.LoadOrStore(o, first(o.Method, o.Path))
	}
	return found.(*fact.Operation)
}

// first returns the facts that a request for the template finds: of operations that look alike,
// those of the first.
func first(method, template string) *fact.Operation {
	if o := linked[template]; o != nil {
		return o
	}
	segments := strings.Split(template, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "-"
		}
	}
	return Documented(method, strings.Join(segments, "/"))
}

// route finds the operation of the request, and the values of its placeholders.
func (c *Call) route() {
	path, _, _ := strings.Cut(c.Target, "?")
	method := c.Request.Method
	facts := linked[path]
	switch {
	case !strings.HasPrefix(path, "/"):
		return
	case facts == nil:
		facts, _ = catalog.V3().Lookup(method, path)
	case facts.Method != method:
		c.known = true
		return
	}
	if facts == nil {
		c.known = len(catalog.V3().Methods(path)) > 0 && wellFormed(path)
		return
	}
	o := c.operations[facts]
	if o == nil {
		o = &Operation{Operation: facts, Do: (*Call).canned, canned: true}
	}
	rest := path
	for template := range strings.SplitSeq(o.Path, "/") {
		segment, next, _ := strings.Cut(rest, "/")
		rest = next
		name, ok := strings.CutPrefix(template, "{")
		if !ok {
			continue
		}
		value, err := url.PathUnescape(segment)
		if err != nil || value == "." || value == ".." {
			return
		}
		if c.Path == nil {
			c.Path = make(map[string]string, 2)
		}
		c.Path[strings.TrimSuffix(name, "}")] = value
	}
	c.known, c.Operation = true, o
	c.trouble.Operation = facts
}

// wellFormed reports whether every segment of a path can be read.
func wellFormed(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if value, err := url.PathUnescape(segment); err != nil || value == "." || value == ".." {
			return false
		}
	}
	return true
}
