// Package sandbox is a gateway that answers as WeChat Pay APIv3 does: it checks the signature of every request for
// real, and signs its answers.
//
// What it does not imitate: TLS and HTTP/2 (it speaks plain HTTP/1.1 on loopback), other schemes than
// WECHATPAY2-SHA256-RSA2048, several merchants or providers with their sub-merchants in one sandbox, merchants who have
// only certificates or only the public key, uploads and downloads, paying, notifications, rate limits, outages, the
// expiry of orders, and every operation that is not listed below. The checks before the signature are the same on
// every path, although the real /v3/pay/transactions was seen to differ in details. Where the platform's text or
// internal number for a case is not known, the sandbox has its own; only codes and statuses are to be relied on.
//
// What it knows:
//
//	POST /v3/brand/partner/card-member/user-feeds
//	POST /v3/pay/transactions/native
//	GET  /v3/pay/transactions/out-trade-no/{out_trade_no}
//	POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close
//	GET  /v3/certificates
//
// Any other path is answered as the platform answers an unknown one: 404 with an empty body.
//
// Use it in tests and demonstrations: [Start] in a test, [Sandbox.Transport] where no socket may be opened (in a
// testing/synctest bubble), [Sandbox.Listen] in a program. Every request is in [Sandbox.Journal], with the reason of a
// refusal that the platform would keep to itself. It is the wrong choice for measuring the real platform's behaviour
// under load, and it must not face a network: its private keys are handed to whoever asks.
//
// A Sandbox is safe for concurrent use. Keys are generated when the first sandbox of a process asks for them and kept
// in memory only. The journal is bounded; orders are kept as long as the sandbox.
//
// The rules come from the platform's documentation at https://pay.weixin.qq.com/doc/v3/merchant/4012365342 and the
// pages around it, and from answers seen in reality, as of November 2026.
package sandbox
