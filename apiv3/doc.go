// Package apiv3 has the pure rules of WeChat Pay APIv3: signing requests, verifying responses and
// notifications, encrypting fields, and parsing keys and serials. Client, webhook handler and
// sandbox share it, so both ends of the wire follow the same rules.
//
// It uses no HTTP client, clock, file or network: the caller passes time and bytes. Use the root
// package to make calls; use this one to check a signature by hand, to write a tool, or to add a
// [Scheme].
//
// The package is safe for concurrent use, except for its streams. Compare errors with the Err…
// values by errors.Is; no error text contains a key, a plaintext or a signature.
//
// The rules come from the platform's documentation
// (https://pay.weixin.qq.com/doc/v3/merchant/4012365342 and the pages around it). Test vectors of
// several independent implementations confirmed them in November 2026.
//
// Guide: docs/keys.md tells how to keep, check and change the keys.
package apiv3
