// Package wxpay calls any operation of WeChat Pay APIv3 by its path: a chain becomes a signed
// request, and gjson path syntax reads the verified response.
//
//	client, err := wxpay.New(wxpay.Merchant{
//		ID: "1900000109", Serial: "3775B6A45ACD588826D15E583A95F5DD2BAC3D1F", PrivateKey: key,
//	}, wxpay.WithPublicKey("PUB_KEY_ID_0119000001092024…", publicKey))
//
//	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").
//		Var("out_trade_no", "ABC-001").Query("mchid", "1900000109").Get(ctx)
//	state := res.Get("trade_state").String()
//	total, err := res.Fen("amount.total") // exactly, or an error
//
// A call has three styles, each with an Async twin of every verb: declarative ([Client.Chain], the
// path as the manual prints it), attribute ([Client.At], names in the form of properties), and pure
// chain (package api, one method per segment, checked by the compiler).
//
// # Errors
//
// A call ends without an error if the platform responded 2xx and the response was verified. Families
// that the platform documents as unsigned, such as bill files, need no signature. [OutcomeOf] returns
// what is known about the operation: [NotSent], [Rejected], [Unknown] or [Confirmed]. With money,
// Unknown is not failure: query by your own number before repeating, and repeat only with the same
// number. A rejection by the platform is an [*APIError]; a response that cannot be trusted is a
// [*VerifyError]; everything else is a [*CallError]. The page docs/errors.md lists the usual codes
// and the reaction to each.
//
// The client retries what does no harm: reads, requests that got no connection, operations that are
// documented as idempotent and move no money, and once a request whose platform certificate a
// signed error rejects. [Client.Resolve] finds out what became of a call with an unknown outcome,
// and [Chain.Ensure] makes a call and finds that out by itself.
//
// # The catalogue
//
// A client knows the documentation of each operation (package catalog, which is embedded). It
// encrypts and decrypts marked fields, warns of probable mistakes before it sends them
// ([WithPreflight]), and knows the paging of lists and the query that tells what became of a call.
// [WithCatalog] replaces or removes the catalogue.
//
// # Files
//
// [Chain.Upload], [Chain.Bill], [Chain.BillTo], [Client.Fetch], [Chain.Download] and
// [Chain.Receipt] stream: memory holds a few buffers, whatever the size, and content with a digest
// is checked against it on the way. [ToFile] writes a file that appears once all of it is verified.
// The page docs/files.md states the promises of each.
//
// # Concurrency
//
// A [Client] is safe for concurrent use, and immutable except for the platform's keys that it
// fetches and a [KeyRing]. It runs no background goroutine. Async calls, certificate refreshes and
// signatures by external keys each use one while they last. A [Chain] is an immutable value: keep
// it, branch it, share it. Many goroutines may read a [Response].
//
// # When it is the wrong choice
//
// For APIv2 (XML, MD5) use another library. Package webhook receives notifications and needs no
// client; package apiv3 has only the rules of the protocol.
//
// Amounts are integers of fen wherever the API says so; this package never changes them. It follows
// the platform's rules, see https://pay.weixin.qq.com/doc/v3/merchant/4012081606 (checked in
// November 2026).
//
// Guide: docs/first-day.md goes from nothing to a paid and refunded order, and docs/README.md finds a
// page by question.
package wxpay
