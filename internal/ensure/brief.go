package ensure

import "github.com/wxpay-go/wxpay/internal/call"

// briefError is the error of a request or a query, without operation and advice, which the error
// around it has.
type briefError struct {
	err  error
	line *call.Line
}

func (e *briefError) Error() string { return e.line.Errors.Brief(e.err) }

// Unwrap returns the error of the request.
func (e *briefError) Unwrap() error { return e.err }
