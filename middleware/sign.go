package middleware

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
)

// Sign signs every request with a fresh timestamp and nonce. The signature covers the finished
// request: its method, its target as net/http writes it, and its body.
func Sign(s *Signer) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			if err := s.Sign(req); err != nil {
				return nil, err
			}
			return next.RoundTrip(req)
		})
	}
}

// Sign adds the Authorization header to req. It reads a body that [Call.SetBody] has not set and
// replaces it by a replayable one, so that the signed bytes are the sent bytes. It does not sign
// the few operations that the catalogue or [UnsignedResponses] lists as unsigned. An error is a
// *SignError.
func (s *Signer) Sign(req *http.Request) error {
	call := CallFrom(req.Context())
	if call == nil {
		call = new(Call)
	}
	family := familyOf(req)
	if call.Operation != nil && call.Operation.Unsigned || family != nil && family.Bare {
		return nil
	}
	if err := call.settle(req); err != nil {
		return &SignError{err}
	}
	var second [20]byte
	var random [32]byte
	timestamp, nonce := string(strconv.AppendInt(second[:0], s.Clock().Unix(), 10)), string(s.AppendNonce(random[:0]))
	serial, key := s.Identity.SigningKey()
	caller := apiv3.Authorization{ID: s.ID, Serial: serial, Nonce: nonce, Timestamp: timestamp}
	header, size, err := apiv3.SignRequest(s.Scheme, s.within(req.Context(), key), caller, req.Method, req.URL.RequestURI(), call.signed)
	if err != nil {
		return &SignError{err}
	}
	call.Attempts++
	call.Serial = serial
	call.MessageSize = size
	if call.Attempts == 1 {
		call.authorization[0] = header
		req.Header["Authorization"] = call.authorization[:]
	} else { // an earlier attempt may still be reading the first one
		req.Header["Authorization"] = []string{header}
	}
	return nil
}

// settle sets c.signed to the bytes that the signature of req covers.
func (c *Call) settle(req *http.Request) error {
	if req.Body == nil || req.Body == http.NoBody {
		c.signed = nil
		return nil
	}
	if req.Body == c.body {
		return nil
	}
	// Something outside replaced the body. Sign what will really be sent.
	body, err := io.ReadAll(req.Body)
	if err := errors.Join(err, req.Body.Close()); err != nil {
		return fmt.Errorf("reading the body: %w", fault.Outside(err))
	}
	c.SetBody(req, body, body)
	return nil
}
