// Package webhook receives the notifications of WeChat Pay APIv3: it verifies, decrypts and routes
// them, processes each once, and responds in time in the form that the platform expects.
//
//	handler, err := webhook.New(webhook.Merchant{
//		ID: "1900000109", APIv3Key: apiv3Key, Keys: webhook.Static(keys),
//	})
//	handler.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
//		return webhook.Payment{MchID: "1900000109", OutTradeNo: number, Total: 100}.Check(e)
//	})
//	http.Handle("/wxpay/notify", handler)
//
// A [Handler] needs no client: a set of platform keys and the APIv3 key are enough. [Handler.Parse]
// only returns the [Event] of raw bytes; [Handler.Deliver] does everything without net/http.
//
// Do not use it for notifications of the old API (v2, XML; see [ErrV2Notification]) or for messages
// of mini programs and official accounts, which are not part of the payment API.
//
// # The steps
//
// A notification passes these steps, the cheapest first. The first failing step ends it:
//
//	step       checks                                  response to a failure
//	headers    all four are there, each once           401
//	window     timestamp, five minutes either way      401
//	merchant   the function of NewMulti, if any        404 ([ErrUnknownMerchant])
//	key        Wechatpay-Serial, an exact look-up      401, or 503 when Keys itself failed
//	body       at most WithMaxBody, read in time       413, 408, 500 ([ErrBodyConsumed])
//	signature  over the raw bytes                      401
//	envelope   JSON with the documented fields         400 ([ErrMalformed])
//	resource   AES-GCM with the APIv3 key              500 (apiv3.ErrDecrypt)
//	fields     RSA, with PrivateKey                    500 (apiv3.ErrDecrypt)
//	route      the patterns of On and Ignore           500 for money, else 204 ([ErrNoHandler])
//	claim      the store of processed events           204, or 503 while it is in progress
//	function   yours                                   500
//
// Success is 204. Any other response has the body {"code":"FAIL","message":"…"}; the message is one
// of a few fixed texts, or the text of [Fail]. The platform delivers a notification again unless it
// gets 200 or 204 within 5 seconds.
//
// The platform signs a few notifications wrongly on purpose, to find merchants who do not verify.
// The handler rejects them like any wrong signature, and they come again with a correct one.
// [VerifyError].Probe and [Observation].Probe mark them, and [Handler.Probes] counts them.
//
// # Time
//
// A function has 4.5 s (WithBudget) from the arrival of the request. If it takes longer or panics,
// the handler responds 500 in time. The function keeps running until it returns, at most
// WithTimeout if it obeys its context. It keeps its claim on the event: a redelivery does not run
// beside it, and gets 204 once it has succeeded.
//
// The usual schedule of redeliveries is 15 s, 15 s, 30 s, 3 min, 10 min, 20 min, 30 min (three
// times), 60 min, 3 h (three times) and 6 h (twice), 24 h 4 min altogether. The platform gives some
// events up much sooner; after that, only a query shows what happened:
//
//	COUPON.SEND, PAYSCORE.USER_SIGN_PLAN, PAYSCORE.USER_CANCEL_SIGN_PLAN,
//	PRODUCT_COUPON_SP.*, BRAND_MEMBER_CARD_SP.USER_CARD.*    60 s, 11 times
//	COUPON.USE                                               60 s, 9 times
//	PAPAY.TERMINATE                                          15 s to 60 min, 9 times
//
// For those, and wherever processing depends on other systems, store first: the function writes the
// event's id, type and Resource into your own table or queue and returns nil; process it from
// there. An error relies on the schedule of redeliveries: an outage of 11 minutes loses the events
// above.
//
// # Routing
//
// An acknowledged event never comes again, so a typo in a registered type would lose it.
// [Handler.On] therefore panics at a type or pattern that matches no event of the catalogue
// ([WithEvents] names newer ones). The handler responds 500 to an event of a payment, a refund or a
// transfer without a function and logs it, until a function is registered or [Handler.Ignore] names
// it. It responds 204 to other events without a function, with a warning.
//
// # Once
//
// The platform delivers at least once, out of order, and sometimes in parallel. A [Deduper]
// remembers processed events. Their key is the notification's id, the same on every redelivery; or,
// for payments, refunds and transfers in a final state, merchant, kind, number and state, since two
// notifications may mean the same. An order's number alone is never a key: one order has several
// notifications.
//
// [Memory] is the default and serves one process. Several instances behind one address need a
// shared store. In any case the function should be idempotent: a process can end between your
// commit and the record of it. Only contrib/sql makes both one commit, in the shop's own database.
//
// # Inquiries
//
// A few notifications are inquiries, which wait for data: those of CROSS_BORDER_PAY,
// ENTRUST.TERMINATE_RETENTION, ENTRUST.TERMINATE_INQUIRY and PARKING_FEE.QUERY_TRANS_INFO, and
// those with a reply in the catalogue. Only functions of [Handler.OnInquiry] get them. They have
// shorter budgets (0.9 s for retention, 2.7 s for others) and are not deduplicated. Without a
// function the response is FAIL: silence or an automatic yes might terminate a contract.
//
// # Limits and promises
//
// A Handler, an Event and a Memory are safe for concurrent use. A body has at most 1 MiB unless
// WithMaxBody changes that. The budget bounds reading it if the ResponseWriter supports read
// deadlines (that of net/http does, unless a wrapper hides it); set the server's ReadHeaderTimeout
// for the header. The only supported cipher is AEAD_AES_256_GCM. No error text, log record or
// printed value contains a key, a signature, a body or a decrypted value.
//
// # Where the rules come from
//
// https://pay.weixin.qq.com/doc/v3/merchant/4012791861 and the pages of the other notifications,
// https://pay.weixin.qq.com/doc/v3/merchant/4013053249 for verification, checked in November 2026.
//
// Guide: docs/frameworks.md puts the handler into web frameworks, and docs/testing.md tests it.
package webhook
