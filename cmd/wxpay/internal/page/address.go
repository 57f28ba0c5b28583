package page

import (
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// FileName returns the name of the file for the page of an operation: v3/pay/transactions/native.post.md. A placeholder is
// written as in an attribute chain, _transaction_id_, and the slash at the end of a path as index.
func FileName(operation *fact.Operation) string {
	name := strings.NewReplacer("{", "_", "}", "_").Replace(operation.Path[1:])
	if strings.HasSuffix(name, "/") {
		name += "index"
	}
	return name + "." + strings.ToLower(operation.Method) + ".md"
}

// EventName returns the name of the file for the page of a notification.
func EventName(event *fact.Event) string { return "notifications/" + event.Type + ".md" }

// EventAddress returns the path at which a server shows a notification, that of the site: /notifications/REFUND.SUCCESS.
func EventAddress(event *fact.Event) string { return "/" + strings.TrimSuffix(EventName(event), ".md") }

// Address returns the path at which a server shows an operation, that of the site: /v3/pay/transactions/native.post.
func Address(operation *fact.Operation) string {
	name := FileName(operation)
	return "/" + name[:len(name)-len(".md")]
}
