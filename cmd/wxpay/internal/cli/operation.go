package cli

import (
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// operationArgs reads [METHOD] PATH. The method is empty when none is given.
func operationArgs(args []string) (method, path string, err error) {
	switch {
	case len(args) == 0:
		return "", "", usageError("the path is missing: give it as the manual prints it, for example v3/certificates")
	case len(args) == 1 && isMethod(args[0]):
		return "", "", usageError("the path is missing after the method %s", args[0])
	case len(args) == 1:
		return "", args[0], nil
	case len(args) > 2:
		return "", "", usageError("there are %d arguments, at most a method and a path are expected", len(args))
	case !isMethod(args[0]):
		return "", "", usageError("the method %q is not one of %s", args[0], strings.Join(callMethods, ", "))
	}
	return strings.ToUpper(args[0]), args[1], nil
}

// documented returns the operations of a path, which may be a template or as it is sent: that of a method, or all.
func documented(facts *catalog.Catalog, method, path string) ([]*fact.Operation, error) {
	facts = facts.Described()
	known := facts.Methods(path)
	if len(known) == 0 {
		return nil, unknownPath(facts, path)
	}
	if method != "" {
		operation, ok := facts.Lookup(method, path)
		if !ok {
			return nil, usageError("%s is documented with %s, not with %s", printable(rooted(path)), strings.Join(known, ", "), method)
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

// shownPaths bounds how many paths an error names.
const shownPaths = 8

// unknownPath tells which paths are beneath the one that was given, or which are near it.
func unknownPath(facts *catalog.Catalog, path string) error {
	prefix := strings.TrimSuffix(rooted(path), "/") + "/"
	var beneath []string
	count := 0
	for operation := range facts.All() {
		if strings.HasPrefix(operation.Path, prefix) && prefix != "/" {
			if count++; count <= shownPaths {
				beneath = append(beneath, operation.Method+" "+operation.Path)
			}
		}
	}
	if count > 0 {
		more := ""
		if count > shownPaths {
			more = fmt.Sprintf("\n  and %d more", count-shownPaths)
		}
		return usageError("no operation ends at %s; beneath it are:\n  %s%s", printable(rooted(path)), strings.Join(beneath, "\n  "), more)
	}
	near := facts.Nearest(path, 3)
	for i, template := range near {
		near[i] = strings.Join(facts.Methods(template), "|") + " " + template
	}
	if len(near) == 0 {
		return usageError("the catalogue does not know %s, nor anything like it; wxpay search finds operations by words", printable(rooted(path)))
	}
	return usageError("the catalogue does not know %s; near are:\n  %s", printable(rooted(path)), strings.Join(near, "\n  "))
}

// rooted returns a path with its leading slash.
func rooted(path string) string { return "/" + strings.TrimPrefix(path, "/") }
