// Package operation reads METHOD and PATH of a command, finds their documentation, and completes them.
package operation

import (
	"net/http"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

// Methods are the methods of the API.
var Methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// IsMethod reports whether text is a method, in letters of any case.
func IsMethod(text string) bool { return slices.Contains(Methods, strings.ToUpper(text)) }

// Args reads [METHOD] PATH. The method is in capitals, and empty if none is given.
func Args(args []string) (method string, at Address, err error) {
	switch {
	case len(args) == 0:
		return "", at, shell.Usage("the path is missing: give it as the manual prints it, for example v3/certificates")
	case len(args) == 1 && IsMethod(args[0]):
		return "", at, shell.Usage("the path is missing after the method %s", args[0])
	case len(args) == 1:
		at, err = ParseAddress(args[0])
		return "", at, err
	case len(args) > 2:
		return "", at, shell.Usage("there are %d arguments, at most a method and a path are expected: quote values "+
			"with blanks", len(args))
	case !IsMethod(args[0]):
		return "", at, shell.Usage("the method %q is not one of %s", args[0], strings.Join(Methods, ", "))
	}
	at, err = ParseAddress(args[1])
	return strings.ToUpper(args[0]), at, err
}

// Find returns the operations of a path, which may be a template or have values: that of a method, or all.
func Find(facts *catalog.Catalog, method, path string) ([]*fact.Operation, error) {
	facts = facts.Described()
	known := facts.Methods(path)
	if len(known) == 0 {
		return nil, Unknown(facts, path)
	}
	if method != "" {
		operation, ok := facts.Lookup(method, path)
		if !ok {
			return nil, shell.Usage("%s is documented with %s, not with %s", shell.Printable(Rooted(path)),
				strings.Join(known, ", "), method)
		}
		return []*fact.Operation{operation}, nil
	}
	var operations []*fact.Operation
	for _, method := range known {
		operation, _ := facts.Lookup(method, path)
		operations = append(operations, operation)
	}
	return operations, nil
}

// Unknown returns the error about a path without operations. It names the paths beneath it, or those near it.
func Unknown(facts *catalog.Catalog, path string) error {
	const most = 8
	prefix := strings.TrimSuffix(Rooted(path), "/") + "/"
	var beneath []string
	count := 0
	for operation := range facts.All() {
		if strings.HasPrefix(operation.Path, prefix) && prefix != "/" {
			if count++; count <= most {
				beneath = append(beneath, operation.Method+" "+operation.Path)
			}
		}
	}
	name := shell.Printable(Rooted(path))
	if count > 0 {
		if count > most {
			return shell.Usage("no operation ends at %s; beneath it are:\n  %s\n  and %d more", name, strings.Join(beneath, "\n  "), count-most)
		}
		return shell.Usage("no operation ends at %s; beneath it are:\n  %s", name, strings.Join(beneath, "\n  "))
	}
	near := facts.Nearest(path, 3)
	for i, template := range near {
		near[i] = strings.Join(facts.Methods(template), "|") + " " + template
	}
	if len(near) == 0 {
		return shell.Usage("the catalogue knows neither %s nor a path like it; wxpay search finds operations by words", name)
	}
	return shell.Usage("the catalogue does not know %s; near are:\n  %s", name, strings.Join(near, "\n  "))
}

// Rooted returns a path with its leading slash.
func Rooted(path string) string { return "/" + strings.TrimPrefix(path, "/") }
