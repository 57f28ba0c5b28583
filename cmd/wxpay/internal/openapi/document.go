// Package openapi writes the catalogue as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html), which every
// tool of that ecosystem can read.
//
// A client that has to be strict needs another source. A field of a request is required only if a second source
// confirms it; the lengths of texts are the documented ones, which the platform may have changed since. Constants go
// out of date, so they are enum only if they were reviewed, and x-extensible-enum otherwise. OpenAPI can name how
// requests are signed, but not describe it.
//
// The document has these extensions. Of an operation: x-wxpay-status (offline, superseded, beta, restricted, linked),
// x-wxpay-replaced-by, x-wxpay-roles, x-wxpay-docs, x-wxpay-joined (direct and partner callers are described together),
// x-wxpay-inferred (no official source shows the fields), x-wxpay-moves-money, x-wxpay-repeat (documented, assumed, no),
// x-wxpay-answer-signature (none, digest), x-wxpay-by-hand, x-wxpay-overlay, x-wxpay-path (its own path if the path item
// has other names), and x-wxpay-look-alikes: operations of the same method whose paths differ in the names of placeholders
// only, each with its path and itself; OpenAPI has one path item for such paths. Of a field: x-wxpay-required (documented,
// but not confirmed), x-wxpay-cipher (rsa, aes), x-wxpay-format (media), x-wxpay-unit, x-wxpay-min and x-wxpay-max
// (characters of a text of a response, or values), x-enum-labels (of constants), x-wxpay-name (its own name if the path item has another),
// x-wxpay-alternatives, x-wxpay-by-hand, x-wxpay-overlay. A title is the short name of a field, from a described
// catalogue. Of a form: x-wxpay-signed-part, the one part that the signature covers.
//
// The notifications are webhooks. Their body has the schema of the envelope; x-wxpay-resource is that of its decrypted
// resource.
//
// The same operations in the same order give the same bytes. Several goroutines may use its functions.
package openapi

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/example"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/ordered"
	"github.com/wxpay-go/wxpay/fact"
)

const (
	defaultServer = "https://" + fact.DefaultHost
	scheme        = "WECHATPAY2-SHA256-RSA2048"
	brandScheme   = "WECHATPAY-BRAND-SHA256-RSA2048"
)

// Document returns a document of operations and events, in their order. version is that of the document.
func Document(operations iter.Seq[*fact.Operation], events iter.Seq[*fact.Event], version string) ([]byte, error) {
	var paths object
	items := make(map[string]int) // index in paths by the shape of the path
	tags := make(map[string]bool)
	walked := make(map[*fact.Operation]bool)
	for operation := range operations {
		if walked[operation] {
			continue
		}
		walked[operation] = true
		shape, _ := shapeOf(operation.Path)
		i, known := items[shape]
		if !known {
			i = len(paths)
			items[shape] = i
			paths.add(operation.Path, object{})
		}
		_, names := shapeOf(paths[i].name)
		item := paths[i].value.(object)
		method := strings.ToLower(operation.Method)
		described := describe(operation, paths[i].name, names)
		var also []any
		for _, other := range operation.Also {
			also = append(also, object{{"path", other.Path}, {"operation", describe(other, other.Path, nil)}})
			walked[other] = true
		}
		addList(&described, "x-wxpay-look-alikes", also)
		item.add(method, described)
		paths[i].value = item
		for _, tag := range operation.Tags {
			tags[tag] = true
		}
	}

	document := object{
		{"openapi", "3.1.1"},
		{"info", object{{"title", "WeChat Pay APIv3"}, {"version", version}}},
		{"servers", servers(defaultServer)},
		{"security", []any{object{{"wechatpay", []any{}}}}},
	}
	var tagList []any
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		tagList = append(tagList, object{{"name", tag}})
	}
	addList(&document, "tags", tagList)
	document.add("paths", paths)
	var webhooks object
	for event := range events {
		webhooks.add(event.Type, object{{"post", webhook(event)}})
	}
	if len(webhooks) > 0 {
		document.add("webhooks", webhooks)
	}
	document.add("components", components)
	out, err := ordered.MarshalIndent(document)
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	return out, nil
}

var text = object{{"type", "string"}}

// components are the parts that operations and notifications share: the form of a rejection and of a notification, and
// the signature schemes.
var components = object{
	{"schemas", object{
		{"Error", object{
			{"type", "object"},
			{"properties", object{{"code", text}, {"message", text}, {"detail", object{}}}},
			{"required", []any{"code", "message"}},
		}},
		{"Notification", object{
			{"type", "object"},
			{"properties", object{
				{"id", text}, {"create_time", text}, {"event_type", text}, {"resource_type", text}, {"summary", text},
				{"resource", object{
					{"type", "object"},
					{"properties", object{
						{"algorithm", text}, {"ciphertext", text}, {"nonce", text}, {"associated_data", text}, {"original_type", text},
					}},
					{"required", []any{"algorithm", "ciphertext", "nonce"}},
				}},
			}},
			{"required", []any{"id", "event_type", "resource"}},
		}},
	}},
	{"responses", object{{"Rejection", object{
		{"description", "rejection"},
		{"content", object{{"application/json", object{{"schema", object{{"$ref", "#/components/schemas/Error"}}}}}}},
	}}}},
	{"securitySchemes", object{
		{"wechatpay", object{{"type", "http"}, {"scheme", scheme}}},
		{"wechatpay-brand", object{{"type", "http"}, {"scheme", brandScheme}}},
	}},
}

func servers(address string) []any { return []any{object{{"url", address}}} }

// shapeOf returns a path without the names of its placeholders, and those names.
func shapeOf(path string) (string, []string) {
	segments := strings.Split(path, "/")
	var names []string
	for i, segment := range segments {
		if name, ok := fact.Placeholder(segment); ok {
			segments[i] = "{}"
			names = append(names, name)
		}
	}
	return strings.Join(segments, "/"), names
}

// ID returns the operationId: post_v3_pay_transactions_native.
func ID(operation *fact.Operation) string {
	id := strings.ToLower(operation.Method)
	for segment := range strings.SplitSeq(operation.Path[1:], "/") {
		id += "_" + strings.Trim(segment, "{}")
	}
	return id
}

// describe returns the operation object. path is that of its path item.
func describe(operation *fact.Operation, path string, names []string) object {
	if names == nil {
		_, names = shapeOf(operation.Path)
	}
	o := object{{"operationId", ID(operation)}, {"summary", operation.Name}}
	addList(&o, "tags", operation.Tags)
	addSome(&o, "deprecated", operation.Status == fact.Offline || operation.Status == fact.Superseded)
	if operation.Host != "" {
		list := servers("https://" + operation.Host)
		if !operation.HostRequired {
			list = append(list, servers(defaultServer)...)
		}
		o.add("servers", list)
	}
	switch {
	case operation.Unsigned:
		o.add("security", []any{})
	case operation.Scheme == fact.BrandScheme:
		o.add("security", []any{object{{"wechatpay-brand", []any{}}}})
	}
	if len(operation.Docs) > 0 {
		o.add("externalDocs", object{{"url", fact.DocURL(operation.Docs[0])}})
	}
	addList(&o, "parameters", parameters(&operation.In, names))
	switch in := &operation.In; {
	case len(in.Form) > 0:
		o.add("requestBody", form(in.Form))
	case len(in.JSON) > 0:
		body := object{}
		addSome(&body, "required", slices.ContainsFunc(in.JSON, func(f fact.Field) bool { return f.Sure() }))
		media := content("application/json", members(in.JSON, true))
		inner := media[0].value.(object)
		inner.add("example", example.Of(operation).Body)
		media[0].value = inner
		body.add("content", media)
		o.add("requestBody", body)
	}
	o.add("responses", object{
		{fmt.Sprint(operation.Success), success(operation)},
		{"default", object{{"$ref", "#/components/responses/Rejection"}}},
	})

	if operation.Path != path {
		o.add("x-wxpay-path", operation.Path)
	}
	addSome(&o, "x-wxpay-status", string(operation.Status))
	addList(&o, "x-wxpay-replaced-by", operation.ReplacedBy)
	addList(&o, "x-wxpay-roles", operation.Roles)
	addSome(&o, "x-wxpay-joined", operation.Joined)
	addSome(&o, "x-wxpay-inferred", operation.Inferred)
	addSome(&o, "x-wxpay-moves-money", operation.MovesMoney)
	addSome(&o, "x-wxpay-repeat", string(operation.Repeat))
	addSome(&o, "x-wxpay-answer-signature", string(operation.Signature))
	addSome(&o, "x-wxpay-by-hand", operation.ByHand)
	addSome(&o, "x-wxpay-overlay", operation.Overlay)
	var docs []string
	for _, id := range operation.Docs {
		docs = append(docs, fact.DocURL(id))
	}
	addList(&o, "x-wxpay-docs", docs)
	return o
}

// webhook returns the operation object of a notification, which the merchant serves.
func webhook(event *fact.Event) object {
	o := object{{"operationId", "notification_" + strings.ToLower(strings.ReplaceAll(event.Type, ".", "_"))}, {"summary", event.Name}}
	if len(event.Docs) > 0 {
		o.add("externalDocs", object{{"url", fact.DocURL(event.Docs[0])}})
	}
	o.add("security", []any{}) // the platform signs, and no scheme of OpenAPI describes that
	o.add("requestBody", object{
		{"required", true},
		{"content", content("application/json", object{
			{"$ref", "#/components/schemas/Notification"},
		})},
	})
	o.add("responses", object{
		{"204", object{{"description", "accepted"}}},
		{"default", object{{"description", "not accepted: the notification comes again"}}},
	})
	o.add("x-wxpay-resource", members(event.Resource, false))
	addList(&o, "x-wxpay-original-types", event.OriginalTypes)
	addSome(&o, "x-wxpay-inferred", event.Inferred)
	addSome(&o, "x-wxpay-by-hand", event.ByHand)
	return o
}

func content(kind string, s object) object { return object{{kind, object{{"schema", s}}}} }

// form returns the request body of an upload. Its part meta is a JSON text, which has a content type of its own.
func form(parts []fact.Field) object {
	var properties, encoding object
	var required []any
	for i := range parts {
		part := &parts[i]
		s := schema(part, true)
		if part.JSONText {
			s = members(part.Fields, true)
			encoding.add(part.Name, object{{"contentType", "application/json"}})
		}
		properties.add(part.Name, s)
		if part.Required {
			required = append(required, part.Name)
		}
	}
	s := object{{"type", "object"}, {"properties", properties}}
	addList(&s, "required", required)
	media := object{{"schema", s}}
	if len(encoding) > 0 {
		media.add("encoding", encoding)
	}
	return object{
		{"required", true},
		{"content", object{{"multipart/form-data", media}}},
		{"x-wxpay-signed-part", "meta"},
	}
}

// success returns the response object of a success.
func success(operation *fact.Operation) object {
	r := object{{"description", "success"}}
	switch operation.Response {
	case fact.JSONResponse:
		r.add("content", content("application/json", members(operation.Out, false)))
	case fact.StreamResponse:
		kind := map[string]string{"pdf": "application/pdf", "image": "image/*"}[operation.Content]
		if kind == "" {
			kind = "application/octet-stream"
		}
		if operation.Signature == fact.OverDigest {
			r.add("headers", object{{"Wechatpay-Statement-Sha1", object{{"required", true}, {"schema", object{{"type",
				"string"}}}}}})
		}
		r.add("content", object{{kind, object{}}})
	}
	return r
}
