// Package api is the pure chain: every documented operation of WeChat Pay APIv3, one method per
// path segment, completed by the editor and checked by the compiler.
//
//	res, err := api.V3(client).Brand().Partner().CardMember().UserFeeds().Post(ctx, feed)
//
//	order, err := api.V3(client).Pay().Transactions().OutTradeNo().OutTradeNo("ABC-001").
//		Query("mchid", "1900000109").Get(ctx)
//
//	verdict, err := api.V3(client).Refund().Domestic().Refunds().UntilFinal().Ensure(ctx, refund)
//
// A chain begins at a door ([V3], [Brand], [HK], [Global], [Invoicing]) and goes down the path. A
// node with operations has their verbs and no others, each with an Async twin, and settings such as
// Query and Timeout. It also has what else its operations support, and nothing that they do not:
// Ensure and Resolve where it is known how to find out what became of a call, Each and Pages for a
// list, Upload, Download, Bill and Receipt for files. A setting returns the node's verbs, such as
// [GetPostCall], with variables and earlier settings kept; so path comes first, settings next, a
// verb last.
//
// The comment on each method names the operations that it leads to: their official name, the fields
// that they require with label and unit, the query that tells the outcome, and a page of the
// documentation.
//
// It is the wrong choice for a path that is made at run time, and for an operation that this
// edition does not know yet: use [wxpay.Client.Chain] with the path. Chain on a node's verbs leaves
// for a plain chain, which has every verb. Bodies are not checked here. A verb that sends takes any
// body, and nil where the operation has none.
//
// # Promises
//
// Nodes and sets of verbs are immutable values: keep them, derive from them, share them between
// goroutines. A mistake, such as an empty variable, is returned by the verb, and nothing has been
// sent. Walking allocates nothing but the values of variables, and there are no tables: a program
// carries no more than the methods that it calls.
//
// # Names
//
// The method of a segment is its words, divided by - and _, in capitals as Go writes them:
// user-feeds is UserFeeds. These words are all capitals: API, ETC, H5, HK, ID, JSAPI, QQ, SN, URL;
// no others, so sub_mchid is SubMchid. A {name} becomes a method of the same form whose argument is
// the value; it is data, and is percent-encoded for the caller.
//
//   - Beneath a node with operations, a segment named like a verb, a setting or Chain has Segment at its end:
//     /v3/parking/reminders/application/query is V3(client).Parking().Reminders().Application().QuerySegment().
//   - Of neighbours that differ by - and _ alone, the one with _ keeps it: beneath /v3/papay/insurance-sign,
//     policy-periods is PolicyPeriods and policy_periods is Policy_Periods.
//   - A slash at the end of a path is Slash: /v3/ecommerce/applyments/ is V3(client).Ecommerce().Applyments().Slash().
//
// Operations that are offline or superseded are there as long as they are documented, and marked as
// deprecated. Methods of nodes and names of types follow the documentation from edition to edition;
// the paths are what is stable.
//
// # Where it comes from
//
// All but the doors is written from package catalog by go generate ./api, one file for each first
// pair of path segments.
//
// Guide: docs/first-day.md makes the first calls, and docs/errors.md tells what to do about each error.
package api

//go:generate go run ./internal/gen
