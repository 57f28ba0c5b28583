// Package apiv3 holds the pure rules of WeChat Pay APIv3: how a request is signed, how an answer or a notification is
// verified, how members are encrypted, and how keys and serials are read. Client, webhook handler and sandbox all
// stand on it, so both ends of the wire follow one text of the rules.
//
// It knows no HTTP client, no clock, no files and no network: time is passed in, bytes come from the caller. Use the
// root package to make calls; use this one to check a signature by hand, to write a tool, or to add a [Scheme].
//
// Everything here is safe for concurrent use, but for a stream that is being opened or sealed. Errors can be told apart with errors.Is against the Err… values; no
// error text contains a key, a plain text or a signature.
//
// The rules come from the platform's documentation (https://pay.weixin.qq.com/doc/v3/merchant/4012365342 and the pages
// around it), checked in November 2026 against test vectors that several independent implementations confirmed.
package apiv3
