// Package middleware has the behaviours between the chain and the transport, one in a file.
//
// A [Middleware] wraps an http.RoundTripper, so other wrappers (tracing, a recorder, a cache) fit
// between. The client assembles the pipeline in one place and in this order, outermost first:
//
//	name     runs         what it does
//	observe  once a call  passes one Observation to the hook at the end of the call
//	log      once a call  writes one slog record from an allow-list of fields
//	(yours)  once a call  the middlewares of WithMiddleware, in their order
//	retry    once a call  makes the attempts, retries where that is safe, and knows the outcome
//	limit    per attempt  waits until the limits allow one more request
//	sign     per attempt  signs the final bytes with a fresh timestamp and nonce
//	verify   per attempt  reads the response within its bound and verifies it
//
// observe, log and limit are optional. limit is inside retry, so it counts every request, including
// retries and queries; its own error means that nothing was sent. sign is inside every middleware
// of a user, so nothing changes signed bytes. verify is next to the transport, so nothing above it
// sees an unverified success.
//
// The request is complete before the first middleware: it is checked against the catalogue, and its
// sensitive fields are encrypted once for all attempts. Your middleware sees ciphertext.
//
// The request's context carries the [Call]; see [CallFrom]. The client shows the errors and
// responses that a middleware invents, and does not trust them: WithMiddleware tells the rules.
//
// Use this package to write a middleware or to inspect a failure ([VerifyError]); use the root
// package to make calls. The package is safe for concurrent use. Its rules come from package apiv3.
//
// Guide: docs/evidence.md lists what proves an outcome, in the order of the middlewares.
package middleware

import "net/http"

// Middleware wraps a RoundTripper with one behaviour. It follows the contract of http.RoundTripper,
// with one exception: the built-in ones may change the headers of the pipeline's own request.
type Middleware func(next http.RoundTripper) http.RoundTripper

// RoundTripFunc is a function as an http.RoundTripper.
type RoundTripFunc func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
