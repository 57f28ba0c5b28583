package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/headers"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// Verify reads every response within its bound and verifies its raw bytes before anything above
// sees it.
//
//   - A 2xx must be signed, unless its path is in [UnsignedResponses] or something else vouches for
//     it ([Call.Vouched]). A missing or wrong signature is a *VerifyError.
//   - With [Call.Stream] it returns a 2xx unread if verification does not need the body.
//   - It verifies another status if it carries a signature (Call.Verified tells); a wrong one is a
//     *VerifyError. API errors before authentication carry none and pass unchanged.
//   - Ambiguous signed JSON is a *VerifyError for every status: a decision must not depend on the
//     reader.
//   - A verified 2xx that [Call.Judge] rejects is a *VerifyError. Verify then closes the idle
//     connections: one of them may carry the responses of other calls.
func Verify(v *VerifyConfig) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			call := CallFrom(req.Context())
			if call == nil {
				call = new(Call)
			}
			call.Reached, call.Verified, call.Aged = true, false, 0
			sent := time.Now()
			res, err := next.RoundTrip(req)
			if err == nil && res == nil {
				err = errors.New("the transport returned neither a response nor an error")
			}
			if err != nil {
				return nil, call.transportFailed(req.Context(), err)
			}
			if res.Request != nil && res.Request.URL != nil && res.Request.URL.Host != "" {
				call.ServedBy = res.Request.URL.Host // the transport goes to another one when no connection could be had
			}
			if res.Body == nil { // not allowed, but a hand-made round tripper may do it
				res.Body = http.NoBody
			}
			if res.StatusCode < 200 { // such as 101, whose body is the connection
				_ = res.Body.Close()
				return nil, unverified(res, nil, fmt.Errorf("status %d ends no call", res.StatusCode))
			}
			success := res.StatusCode >= 200 && res.StatusCode <= 299
			signed := fact.OverBody
			if success {
				signed = responseSignature(req)
				if call.Vouched && signed == fact.OverBody && !apiv3.HasSignature(res.Header) {
					signed = fact.NoSignature
				}
				if call.Stream {
					digest := headers.First(res.Header, apiv3.HeaderStatementSHA1)
					if signed == fact.NoSignature || signed == fact.OverDigest && digest != "" {
						return v.stream(req.Context(), call, res, signed, digest)
					}
				}
			}
			body, err := v.read(req.Context(), res)
			if err != nil {
				return nil, unverified(res, body, err)
			}
			if call.response == nil {
				call.response = &call.first
			} else { // somebody may still hold the response of an earlier attempt
				call.response = new(Body)
			}
			*call.response = Body{raw: body}
			res.Body = call.response
			if signed == fact.NoSignature || !success && !apiv3.HasSignature(res.Header) {
				return res, nil
			}
			if err := v.verify(req.Context(), res.Header, body, signed); err != nil {
				return nil, unverified(res, body, err)
			}
			if v.Ages != nil {
				call.date(v.Ages, call.ServedBy, res.Header, sent)
			}
			if err := call.response.judge(); errors.Is(err, jsonwalk.ErrAmbiguous) {
				return nil, unverified(res, body, fmt.Errorf("%w: %w", ErrResponseAmbiguous, err))
			}
			if success && call.Judge != nil {
				if err := call.Judge.JudgeResponse(res.StatusCode, body); err != nil {
					if pool, ok := next.(interface{ CloseIdleConnections() }); ok {
						pool.CloseIdleConnections()
					}
					return nil, unverified(res, body, fmt.Errorf("%w: %w", ErrForeign, err))
				}
			}
			call.Verified = true
			return res, nil
		})
	}
}
