// Package catalog holds the documented facts of WeChat Pay APIv3, offline: 1,078 operations with
// their fields, and 109 notification types.
//
//	facts := catalog.V3()
//	operation, ok := facts.Lookup("GET", "/v3/pay/transactions/id/4200001234202511230000000001")
//
// It serves checks before sending, the encryption of marked fields, documentation, completion and
// simulation. It cannot tell whether an operation exists: it lacks a newly published one, which
// works all the same. Required fields may be conditional in reality and constants become outdated,
// so its facts are hints, except those marked as sure: fact.Field.Confirmed and Reviewed. It has
// the error codes of some operations, and those that the usual lists lack.
//
// A Catalog is safe for concurrent use. The first call of V3 reads the index, in one or two
// milliseconds and 300 kB. The first lookup of an operation unpacks it with its neighbours, in
// about a tenth of a millisecond, and keeps them: a program that calls twenty operations keeps one
// megabyte. Another lookup takes a fraction of a microsecond and allocates nothing. All and Search
// unpack everything, in about 25 milliseconds and nine megabytes. A program that imports the
// package without calling it pays only for the embedded copies, 320 kB. Values of a Catalog are
// shared: do not change them.
//
// Labels and samples are in a second copy, which Described unpacks row by row in the same way:
//
//	operation, ok := facts.Described().Lookup("GET", "/v3/bill/tradebill") // operation.In.Query[0].Label is 账单日期
//
// # Where the facts come from
//
// They are facts of the public interface from its documentation, which nearly every row names
// (fact.DocURL returns the address of an id). They contain no prose: only names, paths, types,
// flags, constants, short labels, sample values and references.
//
// Certainty is part of a fact. fact.Field.Required means that only the documentation requires the
// field. Confirmed means that a second, independent source (the official Go SDK, official samples,
// public libraries) requires it, too, and that no source makes it optional. fact.Operation.Inferred
// means that no official source shows the fields.
//
// The facts come in editions, as facts files. The file edition/corrections.txt corrects them, one
// line with its source for each correction; every import applies it again.
//
// # The form of the data
//
// The folder data has one text for each first pair of path segments (/v3/pay/… is in v3.pay.txt)
// and one for the events. They are the source. Programs embed copies of all of them, facts.pack and
// texts.pack, written by
//
//	go generate ./catalog
//
// A test fails if they do not match. A text consists of blocks divided by an empty line, sorted by
// path, then by GET, POST, PUT, PATCH, DELETE:
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
// Indentation is two blanks a level. The keys of an operation, in their order; those with a star
// may come several times:
//
//	hand             a person added the operation
//	name             official name
//	host             documented host if not api.mch.weixin.qq.com; "only": no other host serves it
//	unsigned         requests are not signed
//	scheme           brand: signed with a brand's key
//	status           offline, superseded, beta, restricted or linked
//	replaced-by *    METHOD /path
//	tag *            product family
//	role *           kind of merchant
//	joined           one description serves direct and partner callers
//	inferred         no official source shows the fields
//	path query header json form
//	                 fields of the request by place
//	answer           status, then json, empty or stream; for a stream its content (data, pdf, image)
//	                 and "unsigned" or "digest" if the signature is not over the body; below it the
//	                 fields of the response
//	doc *            documentation id
//
// The lines below are written by hand and in no facts file, except most of the codes. A row without
// them is not reviewed, and every reader is then careful; only the marks "money" are meant to be
// complete.
//
//	pages            division of a list: offset, page, cursor or offset-of-pages; the query field
//	                 that chooses the page; the query field with the size of a page, or for a cursor
//	                 the response field with the next one; and the response field with the list. An
//	                 import guesses the line of a new operation by the names of its fields
//	not-caller *     required field with a name like the caller's (mchid, appid) that names another
//	                 party, or an unknown one
//	code *           error code of the operation, status or -, the page with the code, and behind #
//	                 what the operation means by it
//	money            the operation moves money, or commits to moving it
//	repeat           documented, assumed or no: the effect of a second, equal request
//	number           space of the merchant's own number, and its field ({name} for a placeholder)
//	rate             requests a second, and the subject of the limit: merchant or provider
//	link             the query that shows the outcome; the lines below belong to it
//	acts             it acts on an existing object: finding that object proves nothing
//	copy *           a value that the query takes: FIELD[?] [ITS PLACE IN THE WRITE]
//	missing *        code of a 404 that means that the object does not exist
//	state            the response field with the state
//	means *          STATE, and accepted, succeeded, failed, partial or action
//	parts            list, state of a part, its value for success and for failure
//	same *           a value that never changes, written as in copy
//	only *           a response field of the write that the query's response lacks
//	look-back        reach of the query in days
//	bind *           a value of the call that its response repeats, written as in copy, ?NAME for a
//	                 query field; the first is the number that identifies the call
//	excludes *       CODE PAGE: a verified 4xx with this code excludes an effect of the request
//
// The rules behind these rows are the pages of the operations they name (documentation ids above)
// and https://pay.weixin.qq.com/doc/v3/merchant/4012081606, read in November 2026. The pages with
// codes and their meanings were read in the copies that public repositories keep of them. No list
// of codes is complete.
//
// A block of an event begins with "event" and its type. Its keys are hand, name, alias *, scheme,
// resource-type *, original-type *, algorithm, variant *, joined, inferred, resource, reply-header,
// reply-body and doc *.
//
// A block of an error code that the usual lists lack begins with "code" and its name. Its keys are
// status, label and same-as.
//
// A field is a line, with its own fields below it:
//
//	NAME TYPE[!|!!] [MARK]... [= CONSTANT [(LABEL)] | CONSTANT [(LABEL)] ...] [# [LABEL] [: SAMPLE]]
//
// One exclamation mark says required, two say that this is confirmed. Marks are a format (rfc3339,
// date, media, url), a cipher (rsa, aes), a unit (fen, microfen, minor, percent, permyriad, second,
// minute, day), lengths or values (6..32, either side may be missing), jsontext (a JSON text in a
// string, its fields below), alt:NAME (another documented name), hand (added by hand because the
// documentation's tables lack it) and reviewed (the constants were checked by hand and are
// complete). Constants and samples have no quotes; text has quotes if it is ambiguous, and always
// for a field that is not text. Labels and samples are in texts.pack, all else in facts.pack.
//
// A new kind of fact is a new key: a row in the table OperationKeys of internal/text.
//
// Lines that begin with # are remarks; only overlays have them (Catalog.With).
//
// # The next edition
//
//	go run ./catalog/internal/gen -check FILE...
//	go run ./catalog/internal/gen -import FILE...
//
// compare the texts with facts files and import these. The lines below doc in a row, rows marked
// hand, and corrections stay. Package edition prints the differences as Markdown: wxpay catalog
// diff FILE...
//
// Guide: docs/errors.md lists what the catalogue knows of codes and outcomes, and docs/vet.md how it
// checks a program.
package catalog
