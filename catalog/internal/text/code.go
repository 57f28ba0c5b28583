package text

import "github.com/wxpay-go/wxpay/fact"

// CodeKeys are the lines of an error code in the order in which they are written.
var CodeKeys = []Key[fact.Code]{
	number("status", func(c *fact.Code) *int { return &c.Status }),
	word("label", func(c *fact.Code) *string { return &c.Label }),
	word("same-as", func(c *fact.Code) *string { return &c.Same }),
}
