package gocode

import (
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Pure is the pure chain of a path.
func (w *Writer) Pure(path string) (expression string, ok bool) { return w.pure(path) }

// FamilyRows counts the rows of the table of families.
var FamilyRows = len(families)

// FamilyRow returns the row for an event.
func FamilyRow(event *fact.Event) (beginning string, ok bool) {
	for _, f := range families {
		if strings.HasPrefix(event.Type, f.beginning) {
			return f.beginning, true
		}
	}
	return "", false
}
