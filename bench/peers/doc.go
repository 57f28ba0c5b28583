// Package peers measures this client beside others, on the same work, in the same run: the official
// Go SDK, gopay, and a hand-written floor that is net/http and crypto alone. Its results are in
// docs/performance.md, with what they mean.
//
//	go -C bench/peers test -bench .          # every benchmark once, with RSA in
//	go -C bench/peers run ./cmd/report       # the whole comparison, about ten minutes; writes results/ and docs/performance.md
//
// The least that each work costs anybody is another benchmark, which is not recorded; package report says what
// follows from it:
//
//	go -C bench/peers test -overlay "$(go -C bench/peers run ./cmd/overlay)" -bench Bound
//
// Each contestant is a package beside this one, written as its documentation says: package floor,
// official, gopay, and own, which is wxpay with its whole pipeline on. They are this module's only
// reason to exist outside of the workspace: their dependencies are nobody else's.
//
// # RSA taken out
//
// An RSA signature is nearly all of a call's processor time, and the same for everybody, so what a
// client adds vanishes behind it. Where a figure says that RSA is taken out, the program was built
// with an overlay over crypto/rsa whose entry points return at once. That holds for all contestants.
// internal/overlay makes it from the sources of the Go installation at hand.
package peers

// Absent are clients that were considered and are not measured, with the reason.
var Absent = map[string]string{
	"github.com/silenceper/wechat/v2 v2.1.10":    "its payment packages speak APIv2 (XML, MD5), not APIv3",
	"github.com/ArtisanCloud/PowerWeChat/v3":     "the module proxy that was at hand does not serve it",
	"clients that are no Go modules (PHP, Java)": "another language cannot run in the same process, and so not in the same run",
}
