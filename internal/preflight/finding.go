// Package preflight checks a request against the facts of its operation, before anything is
// encrypted or sent.
package preflight

import (
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Kinds of findings. Those up to UnknownConstant may be certain enough to fail a call.
const (
	NotJSON                = "not JSON"
	WrongScheme            = "wrong scheme"
	SupplementaryCharacter = "supplementary character"
	WrongType              = "wrong type"
	MissingField           = "missing field"
	UnknownConstant        = "unknown constant"

	UnknownOperation    = "unknown operation"
	UnknownMethod       = "unknown method"
	UnknownField        = "unknown field"
	OfflineOperation    = "offline operation"
	SupersededOperation = "superseded operation"
	WrongHost           = "wrong host"
	OutOfBounds         = "out of bounds"
	InferredEncryption  = "inferred encryption"
)

// Kinds lists them.
var Kinds = []string{
	NotJSON, WrongScheme, SupplementaryCharacter, WrongType, MissingField, UnknownConstant,
	UnknownOperation, UnknownMethod, UnknownField, OfflineOperation, SupersededOperation, WrongHost, OutOfBounds, InferredEncryption,
}

// Bases of findings.
const (
	confirmed  = "confirmed by a second source"
	documented = "the documentation alone says so"
	widest     = "the widest bounds that any source gives"
	inferred   = "inferred from a sister operation; no official source shows it"
	ownWord    = "your overlay says so"
)

// Finding is one result of a check. No value of the request is in it.
type Finding struct {
	Kind string
	// Place is the part of the request: "operation", "path", "query", "header" or "body".
	Place string
	// Pointer is the JSON pointer of a field of the body, and a slash with the name of anything
	// else. It is empty for the operation and for the body as a whole.
	Pointer string
	// Label is the field's short name in the manual, and Unit the unit of a number, where they are
	// known.
	Label string
	Unit  fact.Unit
	// Text tells the fault and the remedy. It is empty for an unknown path until Report.Findings
	// completes it.
	Text string
	// Certainty tells in words what the finding rests on; it is empty where there is no doubt.
	Certainty string
	// Warning says that the finding is not certain enough to fail the call.
	Warning bool
}

// String returns place, pointer, label, unit, text and certainty.
func (f Finding) String() string {
	s := f.Place
	if f.Pointer != "" {
		s += " " + redact.Pointer(f.Pointer)
	}
	if label := f.label(); label != "" {
		s += " (" + label + ")"
	}
	s += ": " + f.Text
	if f.Certainty != "" {
		s += " (" + f.Certainty + ")"
	}
	return s
}

func (f Finding) label() string {
	if f.Label != "" && f.Unit != "" {
		return f.Label + ", " + string(f.Unit)
	}
	return f.Label + string(f.Unit)
}
