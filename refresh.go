package wxpay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// follow makes the client's keys follow the platform's certificate list. A copy of the client reads it, whose pipeline
// verifies with the certificates in the response.
func (c *Client) follow() {
	settings := *c.certificates
	c.keys.Follow(keylist.Source{
		Settings: settings, MchID: c.merchant.ID, Key: c.apiv3Key, Scheme: c.scheme, Logger: c.logger,
		Reader: func(keys middleware.Keys) keylist.Read {
			reader := *c
			reader.keys = keylist.New(new(apiv3.KeySet), c.clock, 0) // no key, so the request names none
			reader.assemble(keys)
			return func(ctx context.Context) (http.Header, []byte, error) {
				res, err := reader.Chain(settings.Path).Get(ctx)
				if err != nil {
					return nil, nil, explainList(err)
				}
				return res.Header, res.Raw(), nil
			}
		},
		Failed: func(cause error, next time.Time) error { return &KeysError{Cause: cause, Next: next} },
		Panicked: func(value any) error {
			return &PanicError{Value: value, Stack: debug.Stack(), where: "a middleware, a store or other code given to the client"}
		},
	})
}

// explainList turns the two codes that say that there is no list into ErrNoCertificates. Documentation and libraries
// differ on the code.
func explainList(err error) error {
	var rejection *APIError
	var unverified *VerifyError
	status, code := 0, wxcode.Code("")
	switch {
	case errors.As(err, &rejection):
		status, code = rejection.Status, rejection.Code
	case errors.As(err, &unverified):
		// The responses to such a merchant are signed with a public key that this client was not given.
		var body struct{ Code wxcode.Code }
		if json.Unmarshal(unverified.Body, &body) == nil {
			status, code = unverified.Status, body.Code
		}
	}
	if status == http.StatusNotFound && (code == wxcode.ResourceNotExists || code == wxcode.NotFound) {
		return fmt.Errorf("%w (%w)", ErrNoCertificates, err)
	}
	return err
}

// renew makes f ready to be sent once more after the platform rejected it for the certificate that it names: the list is
// read again, another key is chosen, and the fields are encrypted again. It reports whether that came out. Such a rejection
// is verified and comes before everything else, so nothing took effect; and f has made no other attempt that might have.
func (f *flight) renew(ctx context.Context, err error) bool {
	var rejection *APIError
	if f.Attempts > 1 || !errors.As(err, &rejection) || !rejection.rejectsSerial() || f.Stale() || f.names() {
		return false
	}
	return f.client.keys.Replace(ctx, f.key[0]) && (f.renewed == nil || f.renewed(ctx) == nil)
}

// rejectsSerial reports a rejection for the key that the request names. It has no code of its own; its text names the header
// in every language.
func (e *APIError) rejectsSerial() bool {
	return e.Verified && e.Status == http.StatusBadRequest && e.Code == wxcode.ParamError && strings.Contains(e.Message, apiv3.HeaderSerial)
}

// names reports whether the caller named the platform key.
func (f *flight) names() bool {
	for s := f.header; s != nil; s = s.before {
		if s.kind == settingHeader && s.name == apiv3.HeaderSerial {
			return true
		}
	}
	return false
}
