// Package objects shows the things that merchants have made, with what happened to them, and the notifications about them.
package objects

import "github.com/wxpay-go/wxpay/sandbox"

// Pages are the pages of objects.
type Pages struct{ Sandbox *sandbox.Sandbox }

// pageSize is how many rows a page has.
const pageSize = 50
