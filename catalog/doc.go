// Package catalog holds what is documented of WeChat Pay APIv3, offline: 1,078 operations with their members, and 109
// notification types.
//
//	facts := catalog.V3()
//	operation, ok := facts.Lookup("GET", "/v3/pay/transactions/id/4200001234202511230000000001")
//
// It serves checks before sending, the encryption of marked members, documentation, completion and simulation. It is the
// wrong place to ask whether an operation exists: one that was published this morning is not in it and works all the
// same. Required members may be conditional in reality and constants go stale, so what the catalogue says is a hint, not
// a law, except what is marked as sure: fact.Field.Confirmed and Reviewed. Of error codes it has only what could be read:
// those of some operations, and those that the usual lists lack.
//
// A Catalog may be used by several goroutines. V3 reads the index when it is first called, in one or two milliseconds and
// 300 kB. An operation is unpacked when it is first looked up, in about a tenth of a millisecond, and stays in memory with
// its neighbours: a program that calls twenty operations keeps one megabyte. Another lookup takes a fraction of a
// microsecond and allocates nothing. All and Search unpack everything, which takes about 25 milliseconds and nine megabytes.
// A program that imports the package and calls none of it pays for the embedded copies only, 320 kB. Values reached through
// a Catalog are shared and must not be changed.
//
// Labels and samples are in a second copy, which Described unpacks row by row in the same way:
//
//	operation, ok := facts.Described().Lookup("GET", "/v3/bill/tradebill") // operation.In.Query[0].Label is 账单日期
//
// # Where the facts come from
//
// They are facts of the public interface, taken from its documentation, which nearly every row names (fact.DocURL makes
// an address of an id). There is no prose in them: names, paths, types, flags, constants, short labels, sample values
// and references only.
//
// How sure a fact is, is part of it. A member that documentation alone requires is fact.Field.Required; one that a second,
// independent source (the official Go SDK, official samples, public libraries) requires, too, and that no source makes
// optional, is Confirmed. Rows of which no official source shows the members are fact.Operation.Inferred.
//
// The facts come in editions, as facts files. What those have wrong is in edition/corrections.txt, one line a correction
// with its source; every import makes them anew.
//
// # The form of the data
//
// The folder data has one text for each first pair of path segments (/v3/pay/… is in v3.pay.txt) and one for the events.
// They are the source; facts.pack and texts.pack are the copies of all of them that programs embed, written by
//
//	go generate ./catalog
//
// and a test fails when they do not match. A text consists of blocks divided by an empty line, sorted by path, then by
// GET, POST, PUT, PATCH, DELETE:
//
//	GET /v3/bill/tradebill
//	  name 申请交易账单
//	  tag 基础支付/账单
//	  role 直连商户
//	  query
//	    bill_date string!
//	    bill_type string = ALL | SUCCESS | REFUND
//	  answer 200 json
//	    hash_type string!
//	    download_url string!
//	  doc v3/merchant/4012791866
//
// Indentation is two blanks a level. The keys of an operation, in their order; those with a star may come several times:
//
//	hand             the operation was added by hand
//	name             official name
//	host             documented host where it is not api.mch.weixin.qq.com; with "only", the one host that serves it
//	unsigned         requests are not signed
//	scheme           brand: signed with a brand's key
//	status           offline, superseded, beta, restricted or linked
//	replaced-by *    METHOD /path
//	tag *            product family
//	role *           kind of merchant
//	joined           one description serves direct and partner callers
//	inferred         no official source shows the members
//	path query header json form
//	                 members of the request by place
//	answer           status, then json, empty or stream; for a stream its content (data, pdf, image) and "unsigned" or
//	                 "digest" where the signature is not over the body; members of the answer below
//	doc *            documentation id
//
// The lines below were written by hand and are in no facts file, but for most of the codes. A row without it was not reviewed,
// and every reader takes the careful answer then; but the marks "money" are meant to be complete.
//
//	pages            how a list is divided: offset, page, cursor or offset-of-pages; the query field that chooses the page;
//	                 the query field with the size of a page, or for a cursor the response field with the next one; and the
//	                 response field with the list. An import guesses the line of an operation that is new by the names of
//	                 its fields
//	not-caller *     required field that is named like the caller's (mchid, appid) and names somebody else, or nobody knows whom
//	code *           error code that it answers, status or -, and the page that lists it where it was read
//	money            carrying it out moves money, or commits to it
//	repeat           documented, assumed or no: what the same request does a second time
//	number           space of the merchant's own number, and the member that carries it ({name} for a placeholder)
//	rate             requests a second, and what is counted by: merchant or provider
//	link             the query that tells what became of it; the lines below belong to it
//	acts             it acts on something that exists before: finding that proves nothing
//	copy *           what the query takes: MEMBER[?] [WHERE THE WRITE CARRIES IT]
//	missing *        code of a 404 that says there is no such thing
//	state            the member of the answer that tells the state
//	means *          STATE, and accepted, succeeded, failed, partial or action
//	parts            list, state of a part, its value for success and for failure
//	same *           what cannot have changed, written as in copy
//	only *           what the write answers and the query does not
//	look-back        days that the query reaches back
//	bind *           what of the call its answer repeats, written as in copy, ?NAME for a query member; the first is the
//	                 number that tells the call from all others
//	excludes *       CODE PAGE: a verified 4xx with this code rules out an effect of the refused request
//
// The rules behind these rows are the pages of the operations they name (documentation ids above) and
// https://pay.weixin.qq.com/doc/v3/merchant/4012081606, read in November 2026.
//
// A block of an event begins with "event" and its type. Its keys are hand, name, alias *, scheme,
// resource-type *, original-type *, algorithm, variant *, joined, inferred, resource, reply-header, reply-body and doc *.
//
// A block of an error code that the usual lists lack begins with "code" and its name. Its keys are status, label and same-as.
//
// A member is a line, with its own members below it:
//
//	NAME TYPE[!|!!] [MARK]... [= CONSTANT [(LABEL)] | CONSTANT [(LABEL)] ...] [# [LABEL] [: SAMPLE]]
//
// One exclamation mark says required, two say that this is confirmed. Marks are a format (rfc3339, date, media, url), a
// cipher (rsa, aes), a unit (fen, microfen, minor, percent, permyriad, second, minute, day), lengths or values (6..32,
// either side may be missing), jsontext (a JSON text in a string, its members below), alt:NAME (another documented name),
// hand (added by hand because the documentation's tables lack it) and reviewed (the constants were checked by hand and are
// complete). Constants and samples are written bare; text is quoted where it would be mistaken, and always for a member
// that is not text. Labels and samples are for people and in texts.pack, all else in facts.pack.
//
// Further facts of an operation are further keyed lines: one row in the table OperationKeys of internal/text gives a key
// its name, its place and its owner.
//
// Lines that begin with # are remarks, which only overlays have (Catalog.With).
//
// # The next edition
//
//	go run ./catalog/internal/gen -check FILE...
//	go run ./catalog/internal/gen -import FILE...
//
// compare the texts with facts files and take them over. What follows doc in a row, rows marked hand, and corrections stay.
// Package edition tells the same as Markdown: wxpay catalog diff FILE...
package catalog
