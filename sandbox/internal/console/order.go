// Package console has the types of the sandbox's control API.
package console

// Order is one order of the control API, which does what one method of the Go API does.
type Order struct {
	Method, Path string // below /_sandbox/
	Does         string // the method of the Go API: its type, without a star, and its name
	Run          any    // func(…) (…, error); a context may stand first
	// In names the parameters in their order, as fields of the JSON body, or of the query of a GET.
	// One with a ? may be absent. A single * is the whole body.
	In string
	// Out names the result. Without a name the response is the result itself, or {} if there is
	// none.
	Out string
}
