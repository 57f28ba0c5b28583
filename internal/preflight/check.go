package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// check collects findings about one call.
type check struct {
	jsonwalk.Cursor
	where    string // the part of the request that place is in
	param    string // the name of a parameter that is not in the body; place goes on inside of it
	place    jsonwalk.Place
	silenced []string
	inferred bool // no official source shows the fields
	findings []Finding
}

// report adds a finding about the place where k stands, which rests on no facts of a field.
func (k *check) report(kind string, text string) {
	k.add(Finding{Kind: kind, Text: text, Warning: slices.Index(Kinds, kind) >= slices.Index(Kinds, UnknownOperation)})
}

// reportOf adds a finding that rests on the facts of the field where k stands. sure says that they
// are enough to fail a call, unless they are inferred.
func (k *check) reportOf(m *fact.Field, kind string, sure bool, text, certainty string) {
	switch {
	case m.Overlay:
		certainty = ownWord
	case k.inferred:
		sure, certainty = false, inferred
	}
	k.add(Finding{Kind: kind, Label: m.Label, Unit: m.Unit, Text: text, Certainty: certainty, Warning: !sure})
}

func (k *check) pointer() string {
	if k.param == "" {
		return k.place.Pointer()
	}
	return jsonwalk.Below("", k.param) + k.place.Pointer()
}

func (k *check) add(finding Finding) {
	if !slices.Contains(k.silenced, finding.Kind) {
		finding.Place, finding.Pointer = k.where, k.pointer()
		k.findings = append(k.findings, finding)
	}
}

// missing reports that a required field is not there.
func (k *check) missing(m *fact.Field, remedy string) {
	if len(m.Alt) > 0 {
		remedy = " (also as " + strings.Join(m.Alt, ", ") + ")"
	}
	certainty := documented
	if m.Confirmed {
		certainty = confirmed
	}
	k.reportOf(m, MissingField, m.Sure(), "it is missing and documented as required"+remedy, certainty)
}

// mistyped reports a value of another type.
func (k *check) mistyped(m *fact.Field, text string) { k.reportOf(m, WrongType, true, text, "") }

// bounds reports a text with another number of characters, or a number, than m gives bounds for.
func (k *check) bounds(m *fact.Field, is int64, characters bool) {
	if (m.Min == 0 || is >= m.Min) && (m.Max == 0 || is <= m.Max) {
		return
	}
	var text string
	switch {
	case m.Max == 0:
		text = fmt.Sprintf("at least %d", m.Min)
	case m.Min == 0:
		text = fmt.Sprintf("at most %d", m.Max)
	default:
		text = fmt.Sprintf("%d to %d", m.Min, m.Max)
	}
	if characters {
		text = fmt.Sprintf("its length is %d, and %s characters are documented", is, text)
	} else {
		text = "it is documented as " + text
	}
	k.reportOf(m, OutOfBounds, false, text, widest)
}

const unsendable = "it has a character that the platform refuses: emoji and others beyond the Basic Multilingual Plane have to be left out"

// constant reports a value that is none of the documented constants, if there is a list.
func (k *check) constant(m *fact.Field, is func(constant any) bool) {
	if len(m.Enum) == 0 || slices.ContainsFunc(m.Enum, is) {
		return
	}
	const shown = 8
	list := strings.Trim(fmt.Sprint(m.Enum[:min(len(m.Enum), shown)]), "[]")
	if len(m.Enum) > shown {
		list += " …"
	}
	if m.Reviewed {
		k.reportOf(m, UnknownConstant, true, "it has to be one of "+list, "")
		return
	}
	k.reportOf(m, UnknownConstant, false, "it is none of the documented constants, which may be out of date: "+list, documented)
}

func equalNumber(constant any, number float64) bool {
	switch c := constant.(type) {
	case int64:
		return float64(c) == number
	case float64:
		return c == number
	}
	return false
}

// mismatch reports a value of another JSON type than the wanted one.
func (k *check) mismatch(m *fact.Field, is string, want fact.Type) {
	text := "it is " + is + " and documented as " + string(want)
	switch {
	case want == fact.String && is != "an object" && is != "an array":
		text += ": quote it"
	case is == "a string" && want != want.Element():
		text += ": put it into an array"
	case is == "a string" && want != fact.Object:
		text += ": send " + article(want) + " " + string(want) + " without quotes"
	}
	k.mistyped(m, text)
}

func article(t fact.Type) string {
	if strings.ContainsRune("aeio", rune(t[0])) {
		return "an"
	}
	return "a"
}
