// Package wxpay calls any operation of WeChat Pay APIv3 by its path: a chain becomes a signed request, and the verified
// answer is read with gjson path syntax.
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
// The same call can be written in three styles, each with an Async twin of every verb: declarative ([Client.Chain], the
// path as the manual prints it), attribute ([Client.At], names as one would write properties), and pure chain (package
// api, one method per segment, checked by the compiler).
//
// # Errors
//
// A call ends with an error unless the platform answered 2xx and the answer was verified. [OutcomeOf] tells what is
// known about the operation: [NotSent], [Rejected], [Unknown] or [Confirmed]. With money, Unknown is not failure: query
// by your own number before repeating, and repeat only with the same number. What the platform said is an [*APIError];
// an answer that cannot be trusted is a [*VerifyError]; everything else is a [*CallError]. The page docs/errors.md lists the
// codes and what to do about each.
//
// What can be repeated without harm is repeated: reads, requests for which no connection could be had, and what is
// documented so. [Client.Resolve] finds out what became of a call that ended in doubt, and
// [Chain.Ensure] makes a call happen once and tells the truth about it.
//
// # The catalogue
//
// A client knows what is documented of each operation (package catalog, which is embedded): it encrypts and decrypts marked
// members, warns of what looks wrong before it is sent ([WithPreflight]), and knows how lists are paged and whom to ask what
// became of a call. [WithCatalog] replaces the catalogue or does without.
//
// # Files
//
// [Chain.Upload], [Chain.Bill], [Chain.BillTo], [Client.Fetch], [Chain.Download] and [Chain.Receipt] stream: memory holds a few
// buffers, whatever the size, and what has a digest is checked against it on the way. [ToFile] writes a file that appears
// when all of it is right. The page docs/files.md tells what each promises.
//
// # Concurrency
//
// A [Client] is safe for concurrent use, and immutable but for the platform's keys that it fetches and a [KeyRing]. It
// keeps no goroutine of its own: an Async verb, a reading of the platform's certificates, and a signature by another key
// than one in memory take one each, for as long as they last. A [Chain] is an immutable value: keep it, branch it, share
// it. A [Response] may be read by many goroutines.
//
// # When it is the wrong choice
//
// For APIv2 (XML, MD5) use another library. Package webhook receives notifications and needs no client; package apiv3 has
// the rules of the protocol alone.
//
// Amounts are integers of fen wherever the API says so; this package never touches them. The rules it follows are the
// platform's, see https://pay.weixin.qq.com/doc/v3/merchant/4012081606 (checked in November 2026).
package wxpay
