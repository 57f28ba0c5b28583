// Package text reads and writes the catalogue's own form: plain text that a person can review, one operation or event a
// block. The form is described in package catalog.
//
// Parse is what a program runs when it first uses the catalogue, so it is quick and checks the grammar only; Check tells
// whether the facts make sense, and is for tests and for the maintenance command. Both may be called from several
// goroutines. It is the wrong choice for anything but the catalogue's data.
package text

import (
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Document is the content of one or several texts.
type Document struct {
	Operations []*fact.Operation
	Events     []*fact.Event
	Codes      []*fact.Code
}

// Methods are the HTTP methods the catalogue knows, in the order in which operations of one path are listed.
var Methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// method returns s as a constant, or nothing when it is none.
func method(s string) string {
	for _, m := range Methods {
		if m == s {
			return m
		}
	}
	return ""
}

// Compare orders operations: by path, then by method in the order of Methods.
func Compare(a, b *fact.Operation) int {
	if c := strings.Compare(a.Path, b.Path); c != 0 {
		return c
	}
	return slices.Index(Methods, a.Method) - slices.Index(Methods, b.Method)
}
