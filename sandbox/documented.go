package sandbox

import (
	"fmt"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// documented returns the facts of an operation from the catalogue.
func documented(method, path string) *fact.Operation {
	o, ok := catalog.V3().Lookup(method, path)
	if !ok {
		panic(fmt.Sprintf("sandbox: the catalogue lacks %s %s", method, path)) // found by any test
	}
	return o
}
