package example

import (
	"slices"

	"github.com/wxpay-go/wxpay/fact"
)

// clientHeaders are the headers that the client sets: the serial of a key, and no compression, since signatures cover plain
// bytes.
var clientHeaders = []string{"Wechatpay-Serial", "Accept-Encoding"}

// Of returns the example of an operation.
func Of(operation *fact.Operation) Call { return maker{operation: operation}.call() }

// Filled returns the call of an operation whose fields have the caller's values as their samples: each is taken as it is.
func Filled(operation *fact.Operation) Call { return maker{operation, true}.call() }

func (m maker) call() Call {
	operation := m.operation
	call := Call{Operation: operation}
	for i := range operation.In.Path {
		field := &operation.In.Path[i]
		call.Path = append(call.Path, Member{field, m.text(field)})
	}
	for i := range operation.In.Query {
		if field := &operation.In.Query[i]; field.Required || needed(operation, field.Name) {
			call.Query = append(call.Query, Member{field, m.value("", field)})
		}
	}
	for i := range operation.In.Header {
		if field := &operation.In.Header[i]; field.Required && !slices.Contains(clientHeaders, field.Name) {
			call.Header = append(call.Header, Member{field, m.text(field)})
		}
	}
	if len(operation.In.JSON) > 0 {
		call.Body = m.object("", operation.In.JSON)
	}
	if len(operation.In.Form) > 0 {
		call.Upload = true
		form := operation.UploadForm()
		for _, part := range operation.In.Form {
			for i := range part.Fields {
				field := &part.Fields[i]
				if (field.Required || field.Name == form.Algorithm) && field.Name != form.Name && field.Name != form.Digest {
					call.Meta = append(call.Meta, Member{field, m.value("", field)})
				}
			}
		}
	}
	return call
}
