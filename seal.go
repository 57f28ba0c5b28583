package wxpay

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// FieldError is what is wrong with one member of a request or an answer. Its text holds no value.
type FieldError struct {
	// Pointer is the JSON pointer of the member in the body, empty for the body itself; of a query member it is a slash and
	// the name.
	Pointer string
	// Err is what is wrong.
	Err error
}

func (e *FieldError) Error() string {
	if e.Pointer == "" {
		return "the body: " + e.Err.Error()
	}
	return "field " + redact.Pointer(e.Pointer) + ": " + e.Err.Error()
}

// Unwrap returns what is wrong.
func (e *FieldError) Unwrap() error { return e.Err }

// Format prints the error's text under every verb.
func (e FieldError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e FieldError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Encrypt has the member that a JSON pointer names encrypted, whatever the catalogue says: for an operation that it does
// not know, or a member that is encrypted only under a condition. The value has to be a string, or an array whose strings
// are then encrypted one by one; null and an empty string stay as they are. "*" stands for every element of an array, as in
// "/receivers/*/name". A pointer may lead into a JSON text in a string, and names a query member by a slash and its name.
// A request that has no such member is a mistake. Of Encrypt and [Chain.Plain] on one place the later wins.
//
// Wechatpay-Serial then names the key that was used: the one that [Chain.Header] set it to, if so, else the client's.
func (c Chain) Encrypt(pointer string) Chain { return c.rule(settingEncrypt, "Encrypt", pointer) }

// Plain leaves a member, and everything inside it, as it is, although the catalogue has it encrypted. The pointer is that
// of [Chain.Encrypt].
func (c Chain) Plain(pointer string) Chain { return c.rule(settingPlain, "Plain", pointer) }

func (c Chain) rule(kind settingKind, verb, pointer string) Chain {
	names, err := parsePointer(pointer)
	if err != nil {
		return c.fail(fmt.Errorf("%s: %w", verb, err))
	}
	return c.with(setting{kind: kind, name: pointer, values: names})
}

// appendRule adds what s says to rules, which are newest first.
func appendRule(rules []*rule, s *setting) []*rule {
	return append(rules, &rule{pointer: s.name, names: s.values, plain: s.kind == settingPlain, age: len(rules)})
}

// seal encrypts the body of f and its query, once for all attempts. It returns the query to send; the caller's values are
// never changed.
func (f *flight) seal(ctx context.Context, plan *plan, query []*setting, rules []*rule) ([]*setting, error) {
	secrets := holdsSecret(f.body)
	inBody := f.body != nil && (secrets || len(rules) > 0 || plan.body.seals())
	inQuery := slices.ContainsFunc(query, func(q *setting) bool {
		return len(rules) > 0 || plan.query.find([]byte(q.name)).seals() || slices.ContainsFunc(q.values, hasSecret)
	})
	if !inBody && !inQuery && len(rules) == 0 {
		return query, nil
	}
	s := sealing{ctx: ctx, scheme: f.client.scheme}
	s.chooseKey(f)
	plain, asked := f.body, slices.Clone(query)
	if inBody {
		scratch := scratches.Get().(*[]byte)
		body := rewriter{Cursor: jsonwalk.Cursor{Text: f.body}, secrets: secrets, turn: s.turn, fresh: (*scratch)[:0]}
		var marked []string
		if f.Operation != nil && f.Operation.Inferred && f.reseal == nil {
			body.marked = &marked
		}
		sealed, err := body.rewrite(&plan.body, rules)
		f.inferredEncryption(ctx, marked)
		keepScratch(scratch, body.fresh)
		if failure := (*FieldError)(nil); err != nil && !errors.As(err, &failure) {
			err = fmt.Errorf("the body may hold what is to be encrypted and cannot be read: %w", err)
		}
		if err != nil {
			return nil, err
		}
		f.body = sealed
	}
	if inQuery {
		var err error
		if query, err = s.query(plan, query, rules); err != nil {
			return nil, err
		}
	}
	for _, rule := range rules {
		if !rule.used {
			verb := "Encrypt"
			if rule.plain {
				verb = "Plain"
			}
			return nil, fmt.Errorf("%s(%s): the request has no such member (write * for each element of an array)", verb, redact.Quote(rule.pointer))
		}
	}
	if s.used {
		f.serial = s.key.Serial
		f.reseal = func(ctx context.Context) error {
			f.body = plain
			query, err := f.seal(ctx, plan, slices.Clone(asked), rules)
			if err == nil {
				f.setQuery(query)
			}
			return err
		}
	}
	return query, nil
}

// sealing encrypts the values of one call.
type sealing struct {
	ctx    context.Context
	scheme apiv3.Scheme
	named  bool // by the caller, in Wechatpay-Serial
	key    apiv3.PlatformKey
	err    error // why there is no key
	used   bool  // something was encrypted
}

// chooseKey takes the key that the caller named, else the client's.
func (s *sealing) chooseKey(f *flight) {
	for h := f.header; h != nil; h = h.before {
		if h.kind == settingHeader && h.name == apiv3.HeaderSerial {
			s.named = true
			if s.key, s.err = f.client.keys.Find(s.ctx, h.value); s.err != nil {
				s.err = fmt.Errorf("it cannot be encrypted with the key that Wechatpay-Serial names, %s: %w", redact.Quote(h.value), s.err)
			}
			return
		}
	}
	s.key, s.err = f.client.keys.Encryption(s.ctx)
}

// turn appends the ciphertext of a value as a JSON string.
func (s *sealing) turn(dst, value []byte) (_ []byte, changed bool, err error) {
	secret := holdsSecret(value)
	if secret {
		if value, err = openSecret(value); err != nil {
			return dst, false, err
		}
	}
	if len(value) == 0 {
		return dst, false, nil
	}
	if isCiphertext(value, s.key) {
		if !s.named {
			return dst, false, errors.New("it is encrypted already: name its key with Header(\"Wechatpay-Serial\", …)")
		}
		return append(append(append(dst, '"'), value...), '"'), secret, nil
	}
	if s.err != nil {
		return dst, false, s.err
	}
	if err := s.ctx.Err(); err != nil {
		return dst, false, fault.Cause(s.ctx)
	}
	ciphertext, err := s.scheme.Encrypt(s.key.Key, value)
	if err != nil {
		return dst, false, err
	}
	s.used = true
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), ciphertext), '"'), true, nil
}

// isCiphertext reports whether a value has the form of a ciphertext of key: standard base64 of exactly the modulus'
// length, 344 characters for 2048 bits, which is also assumed of a key that is not known. No plaintext that fits is as long.
func isCiphertext(value []byte, key apiv3.PlatformKey) bool {
	size := 256
	if key.Key != nil {
		sized, ok := key.Key.(interface{ Size() int })
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

// query encrypts what is marked in a query. It may change the slice it is given, not the settings in it.
func (s *sealing) query(plan *plan, query []*setting, rules []*rule) ([]*setting, error) {
	for i, q := range query {
		known := plan.query.find([]byte(q.name))
		leading := along(rules, 0, q.name, q.name)
		var values []string
		for k, value := range q.values {
			secret := hasSecret(value)
			if !secret && len(leading) == 0 && !known.seals() {
				continue
			}
			at := place{{name: []byte(q.name)}}
			text := rewriter{Cursor: jsonwalk.Cursor{Text: appendString(nil, value)}, place: at, secrets: secret, turn: s.turn}
			sealed, err := text.rewrite(known, leading)
			if err != nil {
				return nil, err
			}
			if len(text.edits) == 0 {
				continue
			}
			if values == nil {
				values = slices.Clone(q.values)
			}
			plain, err := jsonwalk.Quoted{Raw: sealed[1 : len(sealed)-1], Escaped: true}.Unquote()
			if err != nil {
				return nil, &FieldError{Pointer: at.pointer(), Err: err}
			}
			values[k] = string(plain)
		}
		if values != nil {
			query[i] = &setting{kind: settingQuery, name: q.name, values: values}
		}
	}
	return query, nil
}
