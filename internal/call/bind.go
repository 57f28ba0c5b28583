package call

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// JudgeResponse implements [middleware.Judge].
func (c *Call) JudgeResponse(_ int, body []byte) error {
	err := c.judge(body)
	if err == nil {
		c.success = body
	}
	return err
}

func (c *Call) judge(body []byte) error {
	c.Binding = Unbindable
	if c.unbind {
		return nil
	}
	if err := c.judgeFields(body); err != nil || c.Operation == nil {
		return err
	}
	if len(c.Operation.Bind) == 0 {
		c.logEchoes(body)
		return nil
	}
	c.Binding = Unbound
	for i, pair := range c.Operation.Bind {
		found := leafAt(body, pair.To)
		if found.kind == 0 {
			continue
		}
		sent, ok := c.sent(pair.From)
		if !ok {
			continue
		}
		if !sent.equal(found) {
			return fmt.Errorf("it names another %s than the call", pair.To)
		}
		if i == 0 {
			c.Binding = Bound
		}
	}
	return nil
}

// judgeFields rejects a response whose fields are those of an API error. It also rejects a response
// without any documented field if money moves or if only this response has a field that the caller
// needs, such as prepay_id.
func (c *Call) judgeFields(body []byte) error {
	o := c.Operation
	strict := o != nil && o.Response == fact.JSONResponse && len(o.Out) > 0 && (c.MovesMoney() || o.Link != nil && len(o.Link.Only) > 0)
	if !strict && !bytes.Contains(body, []byte(`"code"`)) {
		return nil
	}
	var coded, told, documented, other bool
	s := jsonwalk.Cursor{Text: body}
	if s.Peek() == '{' {
		for more := s.Enter('}'); more; more = s.More('}') {
			name := s.Name().Key()
			value := s.Peek()
			s.Skip()
			switch {
			case o != nil && slices.ContainsFunc(o.Out, func(m fact.Field) bool { return m.Name == string(name) }):
				documented = true
			case string(name) == "code":
				coded = value == '"'
			case string(name) == "message":
				told = true
			case string(name) != "detail":
				other = true
			}
		}
	}
	switch {
	case documented, c.Operation == nil && other:
		return nil
	case coded && (told || !other):
		return errors.New("it is an API error under a status of success")
	case strict:
		return errors.New("it shows none of the documented fields")
	}
	return nil
}

// logEchoes compares the fields that a response repeats of the call and that are not reviewed. It
// logs a difference once for each operation and field: the response may be another call's, or the
// documentation may be wrong.
func (c *Call) logEchoes(body []byte) {
	logger := c.line.Logger
	if logger == nil || c.Body == nil || c.file != nil || !logger.Enabled(context.Background(), slog.LevelWarn) {
		return
	}
	for _, field := range c.Operation.Out {
		if field.Type != fact.String || field.Cipher != fact.Plain {
			continue
		}
		sent, found := leafAt(c.Body, field.Name), leafAt(body, field.Name)
		if sent.kind != '"' || found.kind != '"' || sent.equal(found) {
			continue
		}
		if c.line.Echoes.add(c.Method + c.Template + " " + field.Name) {
			logger.Warn("wxpay response repeats a field of the call with another value", slog.String("method", c.Method), slog.String("path", c.Template),
				slog.String("field", field.Name), slog.String("remedy", "compare the two: the response may be another call's"))
		}
	}
}

// leaf is a text or a number of a JSON text, unchanged.
type leaf struct {
	kind byte // '"' for a text, '0' for a number, 0 for nothing
	text jsonwalk.Quoted
}

// leafAt returns the leaf at a dotted path. An empty text and any other kind of value are no leaf.
func leafAt(body []byte, path string) leaf {
	s := jsonwalk.Cursor{Text: body}
	for deeper := true; deeper; {
		var name string
		name, path, deeper = strings.Cut(path, ".")
		if s.Peek() != '{' {
			return leaf{}
		}
		found := false
		for more := s.Enter('}'); more; more = s.More('}') {
			if found = string(s.Name().Key()) == name; found {
				break
			}
			s.Skip()
		}
		if !found {
			return leaf{}
		}
	}
	switch c := s.Peek(); {
	case c == '"':
		if text := s.Quoted(); len(text.Raw) > 0 {
			return leaf{'"', text}
		}
	case c == '-' || c >= '0' && c <= '9':
		return leaf{'0', jsonwalk.Quoted{Raw: s.Scalar()}}
	}
	return leaf{}
}

// equal reports whether two values are the same; a number may be written as a text.
func (l leaf) equal(other leaf) bool {
	if bytes.Equal(l.text.Raw, other.text.Raw) && l.text.Escaped == other.text.Escaped {
		return true
	}
	if l.kind == '0' && other.kind == '0' {
		return Agree(json.Number(l.text.Raw), json.Number(other.text.Raw))
	}
	a, errA := l.text.Unquote()
	b, errB := other.text.Unquote()
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// sent returns the value of the call at a source of a fact.
func (c *Call) sent(source string) (leaf, bool) {
	if name, ok := fact.QueryField(source); ok {
		values, err := url.ParseQuery(c.URL.RawQuery)
		return textLeaf(values.Get(name)), err == nil && values.Get(name) != ""
	}
	if name, ok := fact.Placeholder(source); ok {
		value, ok := c.filled(name)
		return textLeaf(value), ok && value != ""
	}
	l := leafAt(c.Body, source)
	return l, l.kind != 0
}

func textLeaf(value string) leaf { return leaf{'"', jsonwalk.Quoted{Raw: []byte(value)}} }
