package wxpay

import (
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/preflight"
)

// Finding is one result of the checks before sending. It has no value of the request.
type Finding struct {
	// Kind is the sort of finding. Under PreflightStrict these can fail a call:
	//
	//   - "not JSON": the body cannot be read. It rests on the JSON standard.
	//   - "wrong scheme": the client signs as a merchant and the path is a brand's, or the other way round. It rests on
	//     the client and the path: the platform keeps /brand/ for brands.
	//   - "supplementary character": an emoji or another character beyond the Basic Multilingual Plane. It rests on a
	//     rule of the protocol.
	//   - "wrong type": another JSON type than the documented one, or a text that is no number. It rests on the
	//     documentation, which no source contradicts; it warns only where the operation's fields are inferred.
	//   - "missing field": a required field is not there. It fails a call if a second, independent source requires the
	//     field too (fact.Field.Confirmed), or the user's own overlay does. It warns where the documentation alone
	//     requires the field, which may be conditional in reality, and where the operation's fields are inferred.
	//   - "unknown constant": a value that is none of the documented ones. It rests on the documentation, whose lists go
	//     stale, and warns, unless the list was reviewed as complete (fact.Field.Reviewed).
	//
	// These warn only, since the platform may know more than the catalogue does:
	//
	//   - "unknown operation": neither this path nor one with other names of placeholders is in the catalogue.
	//   - "unknown method": the catalogue has the path with other methods.
	//   - "unknown field": the documentation lists no such field.
	//   - "offline operation", "superseded operation": the documentation has a notice.
	//   - "wrong host": the documentation names another host as the only one that serves the operation.
	//   - "out of bounds": a text is shorter or longer, or a number less or greater, than some source says.
	//   - "inferred encryption": a field was encrypted because that of a sister operation is; no official source shows
	//     it. It is found when the call is encrypted, not by [Chain.Check].
	Kind string
	// Place is a part of the request: "operation", "path", "query", "header" or "body".
	Place string
	// Pointer is the JSON pointer of a field of the body; for anything else it is a slash and the
	// name. It is empty for the operation and for the whole body.
	Pointer string
	// Label is the field's short name in the manual, such as 总金额, and Unit the unit of a number;
	// empty if unknown.
	Label string
	Unit  fact.Unit
	// Text names the fault and the remedy.
	Text string
	// Certainty names the evidence of the finding: "confirmed by a second source", "the
	// documentation alone says so", "inferred from a sister operation", "your overlay says so". It
	// is empty for a certain finding.
	Certainty string
	// Warning reports that the finding is not certain enough to fail the call.
	Warning bool
}

// String returns place, pointer, label, unit, text and certainty.
func (f Finding) String() string { return preflight.Finding(f).String() }

// PreflightError is the error of a call that failed the checks of PreflightStrict. Nothing was
// sent. It is the cause inside a *[CallError] of stage StageBuild.
type PreflightError struct {
	// Findings has all findings, warnings included, in the order of the request.
	Findings []Finding
}

func newPreflightError(report *preflight.Report) *PreflightError {
	e := new(PreflightError)
	for _, finding := range report.Findings() {
		e.Findings = append(e.Findings, Finding(finding))
	}
	return e
}

func (e *PreflightError) Error() string { return preflight.Text(e.Findings) }
