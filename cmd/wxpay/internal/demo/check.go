package demo

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

// report is the outcome of the demonstration, and the document that --format json prints.
type report struct {
	OK           bool          `json:"ok"`
	Milliseconds float64       `json:"duration_ms"`
	Gateway      string        `json:"gateway"`
	Calls        []*call       `json:"calls"`
	Checks       []checkResult `json:"checks"`
}

// checkResult is the result of one check of every call.
type checkResult struct {
	Name     string  `json:"name"`
	OK       bool    `json:"ok"`
	Calls    []bool  `json:"calls"` // in the order of the calls
	Failures []error `json:"failures,omitempty"`
}

// callCheck is a check of one call among all.
type callCheck struct {
	name string
	hold func(c *call, all []*call) error
}

// check makes the checks on every call.
func (r *report) check(checks []callCheck) {
	for _, c := range r.Calls {
		c.OK = true
	}
	for _, check := range checks {
		result := checkResult{Name: check.name, OK: true}
		for _, c := range r.Calls {
			err := check.hold(c, r.Calls)
			result.Calls = append(result.Calls, err == nil)
			if err != nil {
				result.Failures = append(result.Failures, shell.Say("%s: %w", c.label(), err))
				result.OK, c.OK, r.OK = false, false, false
			}
		}
		r.Checks = append(r.Checks, result)
	}
}

var (
	errNoResponse = shell.Say("there is no response")
	errNoRequest  = shell.Say("no request arrived")
)

// checks returns the checks. They use the keys of the sandbox and the rules of package apiv3, and not the client.
func checks(server *sandbox.Server, number string) []callCheck {
	merchant := server.Merchant()
	return []callCheck{
		{shell.Text("the response is 200 OK"), func(c *call, _ []*call) error {
			switch {
			case c.res == nil:
				return errors.New(c.Error)
			case c.res.Status != http.StatusOK:
				return shell.Say("it is %d", c.res.Status)
			}
			return nil
		}},
		{shell.Text("the response is signed with the platform's key"), func(c *call, _ []*call) error {
			if c.res == nil {
				return errNoResponse
			}
			if !c.res.Verified {
				return shell.Say("the client did not verify it")
			}
			signature, err := apiv3.ReadSignature(c.res.Header)
			if err != nil {
				return err
			}
			return signature.Verify(apiv3.RSA(), server.Keys.PublicKey(), c.res.Raw())
		}},
		{shell.Text("the response repeats out_request_no"), func(c *call, _ []*call) error {
			switch {
			case c.res == nil:
				return errNoResponse
			case c.res.Get("out_request_no").String() != number:
				return shell.Say("it has another, or none")
			}
			return nil
		}},
		{shell.Text("the sandbox verified the request's signature"), func(c *call, _ []*call) error {
			switch {
			case len(c.arrived) != 1:
				return shell.Say("%d requests arrived", len(c.arrived))
			case !c.arrived[0].Verified:
				return errors.New(c.arrived[0].String())
			}
			return nil
		}},
		{shell.Text("the bytes sent are the bytes signed"), func(c *call, _ []*call) error {
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
		{shell.Text("all six have the same request line and body"), func(c *call, all []*call) error {
			if len(c.arrived) == 0 || len(all[0].arrived) == 0 {
				return errNoRequest
			}
			e, first := c.arrived[0], all[0].arrived[0]
			if e.Method != first.Method || e.Target != first.Target || !bytes.Equal(e.Body, first.Body) {
				return shell.Say("it differs from that of %s", all[0].label())
			}
			return nil
		}},
		{shell.Text("each has a nonce and a signature of its own"), func(c *call, all []*call) error {
			if len(c.arrived) == 0 {
				return errNoRequest
			}
			for _, other := range all {
				if other != c && (other.caller.Nonce == c.caller.Nonce || other.caller.Signature == c.caller.Signature) {
					return shell.Say("it shares one with %s", other.label())
				}
			}
			return nil
		}},
	}
}
