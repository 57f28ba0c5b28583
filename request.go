package wxpay

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
)

// JSON is a request body, or a part of one, written in place. Its fields travel sorted by name.
type JSON = map[string]any

// spec reads the settings, newest first, so that the first one of a name wins.
func (c Chain) spec() call.Spec {
	spec := call.Spec{Mistake: c.Err(), Path: c.String()}
	for s := c.last; s != nil; s = s.before {
		switch s.kind {
		case settingVar, settingRawVar:
			if !slices.ContainsFunc(spec.Variables, func(v target.Variable) bool { return v.Name == s.name }) {
				spec.Variables = append(spec.Variables, target.Variable{Name: s.name, Value: s.value, Raw: s.kind == settingRawVar})
			}
		case settingQuery, settingQueryTime:
			if !slices.ContainsFunc(spec.Query, func(q target.Param) bool { return q.Name == s.name }) {
				spec.Query = append(spec.Query, target.Param{Name: s.name, Values: s.values, Time: s.kind == settingQueryTime})
			}
		case settingHeader:
			spec.Header = append(spec.Header, call.Header{Name: s.name, Value: s.value})
		case settingTimeout:
			if spec.Total == 0 {
				spec.Total = s.more.limit
			}
		case settingAttemptTimeout:
			if spec.Attempt == 0 {
				spec.Attempt = s.more.limit
			}
		case settingIdempotent:
			spec.Idempotent = true
		case settingUnbind:
			spec.Unbind = true
		case settingSentBefore:
			spec.SentBefore = true
		case settingEncrypt, settingPlain:
			spec.Rules = append(spec.Rules, sensitive.Rule{Pointer: s.name, Names: s.values, Plain: s.kind == settingPlain})
		}
	}
	return spec
}

// prepare prepares the call. It is the last place where a mistake costs nothing: each of its errors
// means that nothing was sent.
func (c Chain) prepare(ctx context.Context, method string, body any) (*call.Call, error) {
	spec := c.spec()
	return c.line(&spec).Prepare(ctx, &spec, method, body)
}

// line returns the client's line. A chain without a client gets a new line, for its errors, and a
// mistake in spec.
func (c Chain) line(spec *call.Spec) *call.Line {
	if c.client != nil {
		return c.client.line
	}
	if spec.Mistake == nil {
		spec.Mistake = errNoClient
	}
	return &call.Line{Errors: callErrors()}
}

var errNoClient = errors.New("the chain has no client: start it with Client.Chain or Client.At")

// Check makes the checks of [Chain.Do] and nothing else: it encrypts, signs and sends nothing. It
// costs microseconds, so a program can check a million calls before it makes the first one. It
// finds every mistake of the chain and the body that shows without a key, and reports findings by
// the rules of [WithPreflight]: as an error only under PreflightStrict. Such an error is a
// *[CallError] of stage StageBuild.
func (c Chain) Check(ctx context.Context, method string, body any) error {
	spec := c.spec()
	return c.line(&spec).Check(ctx, &spec, method, body)
}

// Request returns the signed request without sending it, for tools and tests. The client sets no
// deadline on it; its signature is valid for five minutes.
func (c Chain) Request(ctx context.Context, method string, body any) (*http.Request, error) {
	prepared, err := c.prepare(ctx, method, body)
	if err != nil {
		return nil, err
	}
	return prepared.Signed(ctx)
}
