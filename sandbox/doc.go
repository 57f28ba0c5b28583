// Package sandbox is a gateway that responds as WeChat Pay APIv3 does: it checks the signature of
// every request for real, and signs its responses.
//
// It does not imitate: TLS, unless [WithTLS] has settings for it, the schemes of SM2 and SM3,
// payments that charge at once except payment codes and deductions of merchants, coupons in an
// order, the share of an order that may be shared at most, settlement, the end of transfers that
// their user never confirms, outages (unless a [fault.Rule] makes them), notifications in the old
// XML form, and the state of every operation that is not listed below. Limits of time and pace are
// values of [Rule], which [Rules.Relax] and [Rules.Enforce] switch; all hold by themselves but
// [ReadDelay], which nobody documents. The checks before the signature are the same on every path,
// although the real /v3/pay/transactions was seen to differ in details. The sandbox has texts and
// internal numbers of its own for cases where the platform's are not known; rely only on codes and
// statuses.
//
// Every documented operation responds: the request is checked against the catalogue (required
// fields, types, fields that must be encrypted, fields that nobody documents, whose number signed
// it), and the response has the documented fields. It repeats the values of the request under the
// same names, encrypts fields for the caller, and counts its lists rightly; a seed determines the
// rest. The header [HeaderSandbox] marks these responses as canned. In a canned response all has
// gone well, whatever came before. Constants are not checked, because the catalogue's lists go
// stale, and neither are lengths.
//
// These have state, and are marked as stateful:
//
//	/v3/pay/transactions/…                                 jsapi, app, h5, native, codepay, two queries, close, reverse: every trade_state
//	/v3/pay/partner/transactions/…                         the same for sub-merchants; AddSubMerchant comes first
//	/v3/combine-transactions/…                             jsapi, app, h5, native, query, close; the parts are the caller's
//	POST /v3/refund/domestic/refunds                       sums, 50 an order, a minute apart, a year; to SUCCESS, CLOSED or ABNORMAL
//	GET  /v3/refund/domestic/refunds/{out_refund_no}
//	POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund
//	/v3/ecommerce/refunds/…                                the same for a platform's sub-merchants; all but return-advance
//	POST /v3/fund-app/mch-transfer/transfer-bills          to SUCCESS, FAIL or CANCELLED; queries by both numbers, cancel
//	/v3/profitsharing/receivers/add, delete
//	/v3/profitsharing/orders…                              share, query, unfreeze: a result for each receiver
//	/v3/profitsharing/return-orders…                       without balance an error, and yet PROCESSING: SetBalance
//	GET  /v3/profitsharing/transactions/{transaction_id}/amounts
//	/v3/ecommerce/profitsharing/…                          the same for a platform, which has the receivers; all but after-sales-orders
//	POST /v3/brand/partner/card-member/user-feeds          needs a card that is the user's; OnRepeatedFeed decides on repetitions
//	/v3/brand/partner/card-member/cards…                   card templates
//	/v3/brand/partner/card-member/user-cards…              UNACTIVATED, EFFECTIVE, EXPIRED, INVALID; confirm and import
//	POST /v3/brand/partner/card-member/user-points/sync, …/exchange-coupon/confirm
//	/v3/merchant-service/complaints-v2…                    PENDING, PROCESSING, PROCESSED; history, reply, refund progress, complete
//	/v3/merchant-service/complaint-notifications
//	/v3/payscore/serviceorder…, /v3/payscore/partner/…     CREATED, DOING, DONE, REVOKED, EXPIRED; all but direct-complete and messages
//	/v3/marketing/favor/coupon-stocks, stocks…, callbacks  unactivated, running, paused, stoped; not the lists of merchants, goods and bills
//	/v3/marketing/favor/users/{openid}/coupons…            SENDED, USED, EXPIRED; Users.UseCoupon
//	/v3/papay/sign/contracts…, scheduled-deduct-sign       SIGNED, TERMINATED; Users.SignContract; of merchants, not of service providers
//	POST /v3/papay/pay/transactions/apply                  charges at once; not schedules and notices before a deduction
//	POST 16 uploads                                        meta, digest, suffix and size are checked; an SM3 digest is not
//	GET  /v3/bill/tradebill, /v3/bill/fundflowbill         from the ledger, or invented: WithBillRows
//	GET  /v3/profitsharing/bills                           the same; the titles of its columns are the sandbox's own
//	GET  /v3/merchant/fund/withdraw/bill-type/{bill_type}  invented only, and the titles are the sandbox's own
//	GET  /v3/bill/sub-merchant-fundflowbill                encrypted; AEAD_AES_256_GCM only
//	GET  /v3/ecommerce/bill/fundflowbill
//	GET  /v3/payscore/merchant-bill
//	GET  /v3/global/statements, /hk/v3/statements          in the columns of a trade bill
//	POST /v3/fund-app/mch-transfer/elecsign/…              receipts: GENERATING for one query, then FINISHED
//	GET  /v3/fund-app/mch-transfer/elecsign/…
//	GET  …/fapiao-applications/{fapiao_apply_id}/fapiao-files    every application has one file
//	GET  /v3/merchant-service/images/{media_id}            what the merchant uploaded, the last 16 MB, and one with every complaint; also under /v3/global/
//	GET  /v3/billdownload/file and five other addresses    of files, as responses tell them, for 30 seconds
//	GET  /v3/certificates, /v3/global/certificates, /hk/v3/certificates
//	POST /v3/security/echo
//
// Paths beneath /brand/ take the brand's keys, and the id of its public key in every request.
// Cards, feeds and points have state there as they have for providers, and are the same; everything
// else is canned. Events of the brand are signed and encrypted with its keys. The response to any
// other path is the platform's to an unknown one: 404 with an empty body.
//
// Methods do what the platform and its users do by themselves: [Users.Pay] pays,
// [Users.FailPayment] does not, [Ledger.SetEnding] and [Ledger.Settle] decide how refunds, transfer
// bills and shares end, [Users.OpenMemberCard], [Users.AskForPoints], [Users.ExchangePoints],
// [Users.Complain] and [Users.ConfirmServiceOrder] are among what users do, [Faults.Inject] makes
// calls go wrong, [Ledger.Effects] tells what took effect, whatever the responses said. A merchant
// who gives a notify_url is notified by the documented schedule, over loopback or in process;
// [Deliveries.Notify] makes a notification of any event for a test, and [Deliveries.Deliver] sends
// one.
//
// A sandbox begins with one merchant; [Sandbox.AddMerchant] adds others, each with keys and records
// of its own, and [Sandbox.AddSubMerchant] says who is a sub-merchant of whom.
//
// Use it in tests and demonstrations: [Start] in a test, [Sandbox.Transport] where no socket may be
// opened (in a testing/synctest bubble), [Sandbox.Listen] in a program. Every request is in the
// [Journal], with the reason of a rejection that the platform would keep to itself. It is the wrong
// choice for measuring the real platform's behaviour under load, and it must not face a network: it
// hands its private keys to everyone who asks.
//
// A Sandbox is safe for concurrent use. Keys are generated when the first sandbox of a process asks
// for them. Keys and records live in memory, unless [WithStore] keeps them; [Sandbox.Snapshot] and
// [Sandbox.Restore] bring an earlier state back. The journal and the log of deliveries are bounded;
// orders, refunds, transfer bills, feeds and the ledger are kept as long as the sandbox. Files are
// written while they are read, however large. While a fault has a probability the sandbox also
// remembers every request that it saw, in some 40 bytes each; while one delivers the responses of
// other calls it remembers some of those as well. [Clock] moves the time of the business, and
// leaves that of signatures where it is; waits pass as package time tells, also in a bubble.
//
// The rules come from the platform's documentation at
// https://pay.weixin.qq.com/doc/v3/merchant/4012365342 and the pages around it, and from responses
// seen in reality, as of November 2026.
//
// Guide: docs/sandbox.md, with the evidence for each behaviour; docs/testing.md compares it with the
// doubles of package wxpaytest.
package sandbox
