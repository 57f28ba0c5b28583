package main

import (
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// A node has a set of abilities, and each ability has methods. The name of the set joins their
// names: GetEachCall, PostEnsureResolveCall.

// abilities returns the abilities of a node's operations, in the order of the methods. Every
// writing method takes a body, which may be nil; DELETE does so if the catalogue lists one.
func (n *node) abilities() (list []string) {
	for _, operation := range n.operations {
		name := operation.Method[:1] + strings.ToLower(operation.Method[1:])
		switch {
		case len(operation.In.Form) > 0:
			name = "Upload"
		case name == "Delete" && len(operation.In.JSON) > 0:
			name = "DeleteBody"
		}
		list = append(list, name)
		switch name {
		case "Get":
			list = append(list, reads(operation)...)
		case "Post":
			if operation.Link != nil {
				list = append(list, "Ensure", "Resolve")
			} else if operation.Repeat == fact.Documented || operation.Repeat == fact.Assumed {
				list = append(list, "Ensure")
			}
		}
	}
	return list
}

// reads returns the further abilities of a GET.
func reads(operation *fact.Operation) (list []string) {
	if isPaged(operation) {
		list = append(list, "Each")
	}
	if operation.Response == fact.StreamResponse {
		list = append(list, "Download")
	}
	download := has(operation.Out, "download_url", "download_bill_list")
	switch {
	case download && !slices.ContainsFunc(operation.Out, func(f fact.Field) bool { return !slices.Contains(billFields, f.Name) }),
		operation.Signature == fact.OverDigest:
		list = append(list, "Bill")
	case download:
		list = append(list, "Receipt")
	}
	return list
}

// billFields are the fields of the response to an application for a bill. That of a receipt has one
// more: the receipt's state.
var billFields = []string{"download_bill_count", "download_bill_list", "download_url", "hash_type", "hash_value"}

// isPaged reports whether package wxpay knows how the operation is paged.
func isPaged(operation *fact.Operation) bool {
	query := operation.In.Query
	return has(query, "page_token") || has(query, "offset", "page_index") && has(query, "limit", "count", "page_size")
}

func has(fields []fact.Field, names ...string) bool {
	return slices.ContainsFunc(fields, func(f fact.Field) bool { return slices.Contains(names, f.Name) })
}

// callKind returns the name of the type with the abilities of a node, such as GetPostCall.
func callKind(n *node) string { return strings.Join(n.abilities(), "") + "Call" }
