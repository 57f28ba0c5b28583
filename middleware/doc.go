// Package middleware holds what happens to a call between the chain and the transport, one behaviour a file.
//
// A [Middleware] wraps an http.RoundTripper, so anything of the ecosystem that does the same (tracing, a recorder, a
// cache) fits between. The client puts the pipeline together in one place and in this order, outermost first:
//
//	name     runs         what it does
//	observe  once a call  hands one Observation to the hook when the call has ended
//	log      once a call  writes one slog record, made from an allow-list of fields
//	(yours)  once a call  whatever WithMiddleware was given, in that order
//	retry    once a call  makes the attempts, repeats what may be repeated, and knows what is known afterwards
//	limit    per attempt  waits until the limits allow one more request
//	sign     per attempt  fresh timestamp, nonce and signature over the bytes as they stand
//	verify   per attempt  reads the answer within its bound and verifies it before anybody sees it
//
// observe, log and limit are there only if asked for. limit stands inside retry, so that every request on the wire is
// counted, repeats and queries included; a refusal of its own is a failure before anything was sent. sign stands inside everything a user can add, so nothing changes bytes
// after they were signed; verify stands next to the transport, so nothing above it ever sees an unverified success.
//
// Before the first of them the request is complete: checked against the catalogue, and its sensitive members encrypted, once
// for all attempts. A middleware of yours sees ciphertext.
//
// What a middleware needs to know beyond the request is the [Call] in the request's context; see [CallFrom]. What it makes up,
// errors and answers alike, is shown and not believed: the client's WithMiddleware tells the rules.
//
// Use this package to write a middleware of your own or to read why a call failed ([VerifyError]); to make calls, use
// the root package. Everything here is safe for concurrent use. The rules come from package apiv3.
package middleware

import "net/http"

// Middleware wraps a RoundTripper with one behaviour. It follows the contract of http.RoundTripper, with one
// difference for the built-in ones: they may change the headers of the pipeline's own request.
type Middleware func(next http.RoundTripper) http.RoundTripper

// RoundTripFunc is an http.RoundTripper made of a function.
type RoundTripFunc func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
