// Package webhook receives the notifications of WeChat Pay APIv3: it verifies, decrypts and routes them, runs each once,
// and answers in time and in the form that the platform expects.
//
//	handler, err := webhook.New(webhook.Merchant{
//		ID: "1900000109", APIv3Key: apiv3Key, Keys: webhook.Static(keys),
//	})
//	handler.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
//		return webhook.Payment{MchID: "1900000109", OutTradeNo: number, Total: 100}.Check(e)
//	})
//	http.Handle("/wxpay/notify", handler)
//
// A [Handler] needs no client: a set of platform keys and the APIv3 key are enough. [Handler.Parse] gives the [Event] of
// raw bytes and does nothing else; [Handler.Deliver] does everything without net/http.
//
// It is the wrong choice for notifications of the old API (v2, XML; see [ErrV2Notification]), and for messages of mini
// programs and official accounts, which are not part of the payment API.
//
// # What happens to a notification
//
// In this order, what costs least first; each step that fails ends it:
//
//	step       looks at                                failing is answered
//	headers    all four are there, each once           401
//	window     timestamp, five minutes either way      401
//	merchant   the function of NewMulti, if there     404 ([ErrUnknownMerchant])
//	key        Wechatpay-Serial, an exact look-up      401, or 503 when Keys itself failed
//	body       at most WithMaxBody, read in time       413, 408, 500 ([ErrBodyConsumed])
//	signature  over the raw bytes                      401
//	envelope   JSON with the documented members        400 ([ErrMalformed])
//	resource   AES-GCM with the APIv3 key              500 (apiv3.ErrDecrypt)
//	members    RSA, with PrivateKey                    500 (apiv3.ErrDecrypt)
//	route      what On, OnDefault and Ignore say       500 for what tells of money, else 204 ([ErrNoHandler])
//	claim      has the event been processed before     204, or 503 while it is being processed
//	function   yours                                   500
//
// Success is 204. Any other answer has the body {"code":"FAIL","message":"…"}, whose message is one of a few fixed texts,
// or the text given to [Fail]. The platform delivers again whatever is not answered with 200 or 204 within 5 seconds.
//
// A small share of notifications is signed wrongly on purpose, to find merchants who do not verify. They are refused
// like any wrong signature, and come again signed rightly; [VerifyError].Probe and [Observation].Probe tell them apart,
// and [Handler.Probes] counts them.
//
// # Time
//
// An ordinary function has 4.5 s (WithBudget) from the arrival of the request. One that takes longer, or panics, is
// answered 500 in time. It keeps running until it returns, at most WithTimeout if it heeds its context, and keeps its
// claim on the event meanwhile: a redelivery does not run beside it, and is answered 204 once it has succeeded.
//
// The usual schedule of redeliveries is 15 s, 15 s, 30 s, 3 min, 10 min, 20 min, 30 min (three times), 60 min, 3 h
// (three times) and 6 h (twice), 24 h 4 min altogether. Some events are given up much sooner, after which only asking by
// API tells what happened:
//
//	COUPON.SEND, PAYSCORE.USER_SIGN_PLAN, PAYSCORE.USER_CANCEL_SIGN_PLAN,
//	PRODUCT_COUPON_SP.*, BRAND_MEMBER_CARD_SP.USER_CARD.*    60 s, 11 times
//	COUPON.USE                                               60 s, 9 times
//	PAPAY.TERMINATE                                          15 s to 60 min, 9 times
//
// For those, and wherever processing depends on other systems, store first: let the function write the event's id, type
// and Resource into a table or a queue of your own and return nil, and process it from there. Returning an error to be
// called again is only as good as the schedule; an outage of 11 minutes loses the events above.
//
// # Routing
//
// An acknowledged event never comes again, so a slip where a function is registered would lose it. [Handler.On] therefore
// panics at a type or a pattern that fits nothing the catalogue knows ([WithEvents] names what is newer), and an event of a
// payment, a refund or a transfer that nobody registered a function for is answered 500 and logged, until a function is
// there or [Handler.Ignore] names it. Other events without a function are answered 204 with a warning.
//
// # Once
//
// The platform delivers at least once, out of order, and sometimes in parallel. A [Deduper] remembers what was done:
// by the notification's id, which repeats on every redelivery, or, for payments, refunds and transfers that have
// reached a final state, by merchant, kind, number and state, since two notifications may tell the same. Nothing is ever
// remembered by an object's number alone: one order has several notifications.
//
// [Memory] is the default and belongs to one process. Several instances behind one address need a store they share. In
// any case the function should be repeatable: a process can end between your commit and the note that it is done.
//
// # Questions
//
// A few notifications ask for something and wait for the answer: those of CROSS_BORDER_PAY, ENTRUST.TERMINATE_RETENTION,
// ENTRUST.TERMINATE_INQUIRY and PARKING_FEE.QUERY_TRANS_INFO, and those for which a catalogue knows a reply. They go to
// [Handler.OnInquiry] only, have shorter budgets (0.9 s for retention, 2.7 s for others), are not deduplicated, and are
// answered FAIL when there is no function: silence or an automatic yes might terminate a contract.
//
// # Limits and promises
//
// A Handler, its functions' Events and a Memory may be used by several goroutines. One body is at most 1 MiB unless
// WithMaxBody says otherwise. Reading it is bounded by the budget where the ResponseWriter supports read deadlines (that
// of net/http does, unless a wrapper hides it); set ReadHeaderTimeout on the server for what comes before. Only the
// cipher AEAD_AES_256_GCM is known. No error text, log record or printed value holds a key, a signature, a body or a
// decrypted value.
//
// # Where the rules come from
//
// https://pay.weixin.qq.com/doc/v3/merchant/4012791861 and the pages of the other notifications,
// https://pay.weixin.qq.com/doc/v3/merchant/4013053249 for verification, checked in November 2026.
package webhook
