package sensitive

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/target"
)

// Request is what may be encrypted of a request. Encrypt changes none of it.
type Request struct {
	Body  []byte         // nil when there is none
	Query []target.Param // newest first
	Plan  *Plan
	Rules []Rule // newest first
	// Note makes Encrypt list the fields that it encrypts because the catalogue marks them.
	Note bool
}

// Key is the platform key that a request is encrypted with.
type Key struct {
	apiv3.PlatformKey
	Named bool  // by the caller, in Wechatpay-Serial
	Err   error // why there is no key: the fault of the first value that needs one
}

// Encrypted is a request whose marked values are encrypted.
type Encrypted struct {
	Body  []byte
	Query []target.Param
	// Serial is that of the key, empty when nothing was encrypted with it.
	Serial string
	// Noted has the JSON pointers of fields of the body, if Request.Note asks for them.
	Noted []string
}

// Concerned reports whether a value of r may have to be encrypted, or a rule may find nothing.
func (r *Request) Concerned() bool {
	return len(r.Rules) > 0 || r.inBody() || slices.ContainsFunc(r.Query, r.inParam)
}

func (r *Request) inBody() bool {
	return r.Body != nil && (len(r.Rules) > 0 || r.Plan.Body.Encrypted() || holdsToken(r.Body))
}

func (r *Request) inParam(p target.Param) bool {
	return len(r.Rules) > 0 || r.Plan.Query.Find([]byte(p.Name)).Encrypted() || slices.ContainsFunc(p.Values, HasToken)
}

// Encrypt encrypts the body and the query. Its error is a *[jsonwalk.FieldError] where one field is
// at fault; Noted is set then too.
func (r *Request) Encrypt(ctx context.Context, scheme apiv3.Scheme, key Key) (Encrypted, error) {
	e := encryption{ctx: ctx, scheme: scheme, Key: key, rules: uses(r.Rules)}
	out := Encrypted{Body: r.Body, Query: slices.Clone(r.Query)}
	if r.inBody() {
		var err error
		if out.Body, out.Noted, err = e.body(r); err != nil {
			return out, err
		}
	}
	for i := range out.Query {
		if r.inParam(out.Query[i]) {
			if err := e.param(&out.Query[i], r.Plan); err != nil {
				return out, err
			}
		}
	}
	for _, rule := range e.rules {
		if !rule.used {
			verb := "Encrypt"
			if rule.Plain {
				verb = "Plain"
			}
			return out, fmt.Errorf("%s(%s): the request has no such field (write * for each element of an array)", verb, redact.Quote(rule.Pointer))
		}
	}
	if e.used {
		out.Serial = key.Serial
	}
	return out, nil
}

// encryption encrypts the values of one request.
type encryption struct {
	Key
	ctx    context.Context
	scheme apiv3.Scheme
	rules  []*use
	used   bool // something was encrypted with the key
}

// editing is memory for the edits of a body. They hold no text.
var editing = sync.Pool{New: func() any { return new([]edit) }}

const maxEdits = 1024 // that are kept: those of one huge body must not stay in memory for ever

func (e *encryption) body(r *Request) (_ []byte, noted []string, err error) {
	scratch := jsonwalk.Borrow()
	edits := editing.Get().(*[]edit)
	body := rewriter{
		Cursor: jsonwalk.Cursor{Text: r.Body}, secrets: holdsToken(r.Body), turn: e.turn, note: r.Note,
		place: make(jsonwalk.Place, 0, 4), edits: (*edits)[:0], fresh: *scratch,
	}
	encrypted, err := body.rewrite(&r.Plan.Body, e.rules)
	jsonwalk.Return(scratch, body.fresh)
	if *edits = body.edits; cap(body.edits) <= maxEdits {
		editing.Put(edits)
	}
	if err != nil && !errors.As(err, new(*jsonwalk.FieldError)) {
		err = fmt.Errorf("the body may hold what is to be encrypted and cannot be read: %w", err)
	}
	return encrypted, body.noted, err
}

// param encrypts the marked values of a field of the query.
func (e *encryption) param(p *target.Param, plan *Plan) error {
	known := plan.Query.Find([]byte(p.Name))
	leading := alongName(e.rules, 0, p.Name)
	shared := true
	for i, value := range p.Values {
		secret := HasToken(value)
		if !secret && len(leading) == 0 && !known.Encrypted() {
			continue
		}
		at := jsonwalk.Place{{Name: []byte(p.Name)}}
		text := rewriter{place: at, secrets: secret, turn: e.turn}
		text.Text = jsonwalk.AppendQuote(nil, value)
		encrypted, err := text.rewrite(known, leading)
		if err != nil {
			return err
		}
		if len(text.edits) == 0 {
			continue
		}
		plain, err := jsonwalk.Quoted{Raw: encrypted[1 : len(encrypted)-1], Escaped: true}.Unquote()
		if err != nil {
			return &jsonwalk.FieldError{Pointer: at.Pointer(), Err: err}
		}
		if shared { // with the chain
			p.Values, shared = slices.Clone(p.Values), false
		}
		p.Values[i] = string(plain)
	}
	return nil
}

// turn appends the ciphertext of a value as a JSON string.
func (e *encryption) turn(dst, value []byte) (_ []byte, changed bool, err error) {
	secret := holdsToken(value)
	if secret {
		if value, err = openToken(value); err != nil {
			return dst, false, err
		}
	}
	if len(value) == 0 {
		return dst, false, nil
	}
	if isCiphertext(value, e.Key.Key) {
		if !e.Named {
			return dst, false, errors.New("it is encrypted already: name its key with Header(\"Wechatpay-Serial\", …)")
		}
		return append(append(append(dst, '"'), value...), '"'), secret, nil
	}
	if e.Err != nil {
		return dst, false, e.Err
	}
	if e.ctx.Err() != nil {
		return dst, false, fault.Cause(e.ctx)
	}
	ciphertext, err := e.scheme.Encrypt(e.Key.Key, value)
	if err != nil {
		return dst, false, err
	}
	e.used = true
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), ciphertext), '"'), true, nil
}

// isCiphertext reports whether a value has the form of a ciphertext of key: standard base64 of
// exactly the length of the modulus. That is 344 characters for 2048 bits, the size of a key that
// is not known. No plaintext that fits is as long.
func isCiphertext(value []byte, key any) bool {
	size := 256
	if key != nil {
		sized, ok := key.(interface{ Size() int })
		if !ok {
			return false
		}
		size = sized.Size()
	}
	if len(value) != base64.StdEncoding.EncodedLen(size) {
		return false
	}
	plain, err := base64.StdEncoding.Strict().AppendDecode(nil, value)
	return err == nil && len(plain) == size
}
