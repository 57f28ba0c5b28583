package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

type demoOptions struct{ json bool }

func demoCommand(run func(context.Context, demoOptions) error) *cobra.Command {
	o := new(demoOptions)
	command := &cobra.Command{
		Use:   "demo",
		Short: "Make one call in six styles against a sandbox, and check it",
		Long: `Make one call in the six styles of the client (declarative, attribute and pure chain, each synchronous and
asynchronous) against an embedded sandbox, and show what was sent, what was answered, and what was checked.

It needs no account, no configuration and no network. The exit code is 0 if every check held, 1 if one did not.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return run(command.Context(), *o) },
	}
	o.flags(command.Flags())
	return command
}

func (o *demoOptions) flags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.json, "json", false, "print one JSON document for machines")
}

// style is one way of writing the call.
type style struct {
	name   string
	async  bool
	source string // the line of Go; a test holds it against call
	call   func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error)
}

var styles = []style{
	{"declarative", false, `client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, feed)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, feed)
		}},
	{"declarative", true, `client.Chain("v3/brand/partner/card-member/user-feeds").PostAsync(ctx, feed).Wait(ctx)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return client.Chain("v3/brand/partner/card-member/user-feeds").PostAsync(ctx, feed).Wait(ctx)
		}},
	{"attribute", false, `client.At("v3", "brand", "partner", "cardMember", "userFeeds").Post(ctx, feed)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return client.At("v3", "brand", "partner", "cardMember", "userFeeds").Post(ctx, feed)
		}},
	{"attribute", true, `client.At("v3", "brand", "partner", "cardMember", "userFeeds").PostAsync(ctx, feed).Wait(ctx)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return client.At("v3", "brand", "partner", "cardMember", "userFeeds").PostAsync(ctx, feed).Wait(ctx)
		}},
	{"pure chain", false, `api.V3(client).Brand().Partner().CardMember().UserFeeds().Post(ctx, feed)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return api.V3(client).Brand().Partner().CardMember().UserFeeds().Post(ctx, feed)
		}},
	{"pure chain", true, `api.V3(client).Brand().Partner().CardMember().UserFeeds().PostAsync(ctx, feed).Wait(ctx)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return api.V3(client).Brand().Partner().CardMember().UserFeeds().PostAsync(ctx, feed).Wait(ctx)
		}},
}

// memberFeed is the body of the call, with the values of the documentation's sample: a member's activity from another
// payment channel, for the member card (https://pay.weixin.qq.com/doc/v3/partner/4015336987).
func memberFeed() wxpay.JSON {
	return wxpay.JSON{
		"brand_id":       "1004",
		"card_id":        "pbLatjvWOibDc5-TBnbUk1pD12o0",
		"user_card_code": "478515832665",
		"openid":         "obLatjnx9gnqzS4myYGmLZ7LgLBA",
		"out_request_no": "100002322019090134234sfdf",
		"cell_message":   "15_1200_1",
	}
}

// demoReport is the outcome of the demonstration, and the document that --json prints.
type demoReport struct {
	OK           bool        `json:"ok"`
	Milliseconds float64     `json:"duration_ms"`
	Gateway      string      `json:"gateway"`
	Calls        []*demoCall `json:"calls"`
	Checks       []demoCheck `json:"checks"`
}

// demoCall is one call in one style.
type demoCall struct {
	Style        string       `json:"style"`
	Async        bool         `json:"async"`
	Go           string       `json:"go"`
	Milliseconds float64      `json:"duration_ms"`
	OK           bool         `json:"ok"` // every check held
	Request      *demoRequest `json:"request,omitempty"`
	Answer       *demoAnswer  `json:"answer,omitempty"`
	Error        string       `json:"error,omitempty"`

	response *wxpay.Response
	arrived  []sandbox.Entry // requests at the sandbox
	caller   apiv3.Authorization
}

// demoRequest is what arrived at the sandbox.
type demoRequest struct {
	Method        string `json:"method"`
	Target        string `json:"target"`
	Authorization string `json:"authorization"` // the signature shortened
	Serial        string `json:"wechatpay_serial"`
	Body          string `json:"body"` // byte for byte
}

// demoAnswer is what the client took after verifying it.
type demoAnswer struct {
	Status    int    `json:"status"`
	RequestID string `json:"request_id"`
	Serial    string `json:"wechatpay_serial"`
	Verified  bool   `json:"verified"`
	Body      string `json:"body"` // byte for byte
}

// demoCheck is one check, made on every call.
type demoCheck struct {
	Name     string   `json:"name"`
	OK       bool     `json:"ok"`
	Calls    []bool   `json:"calls"` // in the order of the calls
	Failures []string `json:"failures,omitempty"`
}

func (p *program) demo(ctx context.Context, o demoOptions) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	begin := time.Now()
	client, server, err := p.connectSandbox(nil)
	if err != nil {
		return err
	}
	defer server.Close()
	// Six calls in a row are one more than the platform takes in a second.
	if err := server.Relax(sandbox.Rates); err != nil {
		return err
	}

	report := demoReport{OK: true, Gateway: server.URL}
	feed := memberFeed()
	for _, s := range styles {
		report.Calls = append(report.Calls, makeCall(ctx, s, client, server, feed))
	}
	report.check(demoChecks(server, feed["out_request_no"].(string)))
	report.Milliseconds = milliseconds(time.Since(begin))

	var out bytes.Buffer
	if o.json {
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	} else {
		report.print(&out, p.colours())
	}
	if err == nil {
		err = p.write(&out)
	}
	if err == nil && !report.OK {
		err = &exitError{code: exitRefused}
	}
	return err
}

// makeCall makes the call in one style and collects what can be seen of it at both ends.
func makeCall(ctx context.Context, s style, client *wxpay.Client, server *sandbox.Server, feed wxpay.JSON) *demoCall {
	c := &demoCall{Style: s.name, Async: s.async, Go: s.source}
	before, begin := len(server.Journal()), time.Now()
	res, err := s.call(ctx, client, feed)
	c.Milliseconds = milliseconds(time.Since(begin))
	c.arrived = server.Journal()[before:]
	if len(c.arrived) > 0 {
		e := c.arrived[0]
		c.Request = &demoRequest{Method: e.Method, Target: e.Target, Serial: e.Header.Get(apiv3.HeaderSerial), Body: string(e.Body)}
		if caller, err := apiv3.ParseAuthorization(e.Header.Get("Authorization")); err == nil {
			c.caller = caller
			c.Request.Authorization = shortened(caller)
		}
	}
	if err != nil {
		c.Error = err.Error()
		return c
	}
	c.response = res
	c.Answer = &demoAnswer{
		Status: res.Status, RequestID: res.RequestID, Serial: res.Header.Get(apiv3.HeaderSerial), Verified: res.Verified, Body: string(res.Raw()),
	}
	return c
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// shortened is an Authorization header in which only the two ends of the signature are left.
func shortened(a apiv3.Authorization) string {
	const head, tail = 12, 4
	if len(a.Signature) > head+tail {
		a.Signature = a.Signature[:head] + "…" + a.Signature[len(a.Signature)-tail:]
	}
	return string(a.AppendTo(nil))
}

// callCheck is a check of one call among all.
type callCheck struct {
	name string
	hold func(c *demoCall, all []*demoCall) error
}

// check makes the checks on every call.
func (r *demoReport) check(checks []callCheck) {
	for _, c := range r.Calls {
		c.OK = true
	}
	for _, check := range checks {
		result := demoCheck{Name: check.name, OK: true}
		for _, c := range r.Calls {
			err := check.hold(c, r.Calls)
			result.Calls = append(result.Calls, err == nil)
			if err != nil {
				result.Failures = append(result.Failures, c.label()+": "+err.Error())
				result.OK, c.OK, r.OK = false, false, false
			}
		}
		r.Checks = append(r.Checks, result)
	}
}

func (c *demoCall) label() string {
	if c.Async {
		return c.Style + ", async"
	}
	return c.Style
}

var (
	errNoAnswer  = errors.New("there is no answer")
	errNoRequest = errors.New("no request arrived")
)

// demoChecks are the checks, made with the keys of the sandbox and the pure rules, apart from the client that called.
func demoChecks(server *sandbox.Server, number string) []callCheck {
	merchant := server.Merchant()
	return []callCheck{
		{"the answer is 200 OK", func(c *demoCall, _ []*demoCall) error {
			switch {
			case c.response == nil:
				return errors.New(c.Error)
			case c.response.Status != http.StatusOK:
				return fmt.Errorf("it is %d", c.response.Status)
			}
			return nil
		}},
		{"the answer is signed with the platform's key", func(c *demoCall, _ []*demoCall) error {
			if c.response == nil {
				return errNoAnswer
			}
			if !c.response.Verified {
				return errors.New("the client did not verify it")
			}
			signature, err := apiv3.ReadSignature(c.response.Header)
			if err != nil {
				return err
			}
			return signature.Verify(apiv3.RSA(), server.PublicKey(), c.response.Raw())
		}},
		{"the answer repeats out_request_no", func(c *demoCall, _ []*demoCall) error {
			switch {
			case c.response == nil:
				return errNoAnswer
			case c.response.Get("out_request_no").String() != number:
				return errors.New("it has another, or none")
			}
			return nil
		}},
		{"the sandbox verified the request's signature", func(c *demoCall, _ []*demoCall) error {
			switch {
			case len(c.arrived) != 1:
				return fmt.Errorf("%d requests arrived", len(c.arrived))
			case !c.arrived[0].Verified:
				return errors.New(c.arrived[0].String())
			}
			return nil
		}},
		{"the bytes sent are the bytes signed", func(c *demoCall, _ []*demoCall) error {
			if len(c.arrived) == 0 {
				return errNoRequest
			}
			e := c.arrived[0]
			signature, err := base64.StdEncoding.DecodeString(c.caller.Signature)
			if err != nil {
				return err
			}
			message := apiv3.AppendRequestMessage(nil, e.Method, e.Target, c.caller.Timestamp, c.caller.Nonce, e.Body)
			return apiv3.RSA().Verify(&merchant.PrivateKey.PublicKey, message, signature)
		}},
		{"all six are the same request line and body", func(c *demoCall, all []*demoCall) error {
			if len(c.arrived) == 0 || len(all[0].arrived) == 0 {
				return errNoRequest
			}
			e, first := c.arrived[0], all[0].arrived[0]
			if e.Method != first.Method || e.Target != first.Target || !bytes.Equal(e.Body, first.Body) {
				return fmt.Errorf("it differs from that of %s", all[0].label())
			}
			return nil
		}},
		{"each has a nonce and a signature of its own", func(c *demoCall, all []*demoCall) error {
			if len(c.arrived) == 0 {
				return errNoRequest
			}
			for _, other := range all {
				if other != c && (other.caller.Nonce == c.caller.Nonce || other.caller.Signature == c.caller.Signature) {
					return fmt.Errorf("it shares one with %s", other.label())
				}
			}
			return nil
		}},
	}
}
