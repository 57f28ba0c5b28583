package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// Verify reads every answer within its bound and verifies it over the raw bytes before anything above sees it.
//
//   - A 2xx must be signed, unless its path stands in [UnsignedResponses] or something else vouches for it ([Call.Vouched]).
//     One that is not, or wrongly, is a *VerifyError.
//   - With [Call.Stream] a 2xx is handed up unread where its body need not be read for that.
//   - Another status is verified if it carries a signature (Call.Verified tells); a wrong one is a *VerifyError. Refusals
//     made before authentication carry none and pass as they are.
//   - JSON that was signed and is ambiguous is a *VerifyError, for every status: a decision must not depend on the reader.
//   - A verified 2xx that [Call.Judge] refuses is a *VerifyError, and the connections that no call uses are closed: one of
//     them may carry answers of others.
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
				err = errors.New("the transport returned neither an answer nor an error")
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
				signed = answerSignature(req)
				if call.Vouched && signed == fact.OverBody && !apiv3.HasSignature(res.Header) {
					signed = fact.NoSignature
				}
				if call.Stream {
					digest := first(res.Header, apiv3.HeaderStatementSHA1)
					if signed == fact.NoSignature || signed == fact.OverDigest && digest != "" {
						return v.stream(req.Context(), call, res, signed, digest)
					}
				}
			}
			body, err := v.read(req.Context(), res)
			if err != nil {
				return nil, unverified(res, body, err)
			}
			if call.answer == nil {
				call.answer = &call.first
			} else { // an earlier attempt's answer may still be in somebody's hands
				call.answer = new(Body)
			}
			*call.answer = Body{raw: body}
			res.Body = call.answer
			if signed == fact.NoSignature || !success && !apiv3.HasSignature(res.Header) {
				return res, nil
			}
			if err := v.verify(req.Context(), res.Header, body, signed); err != nil {
				return nil, unverified(res, body, err)
			}
			if v.Ages != nil {
				call.date(v.Ages, call.ServedBy, res.Header, sent)
			}
			if err := call.answer.judge(); errors.Is(err, jsonwalk.ErrAmbiguous) {
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
