// Package example makes one call of an operation with sample values, for the manual: in Go, as a command, and as a request.
//
// The values are those of the documentation, as far as it has any; the others follow from the name, the format and the
// length of a field. They are the same in every form, and the same facts give the same values. The call has the required
// fields only, or all plain ones if none is required. It is an example: a field that it lacks may be required under a
// condition.
package example

import (
	"iter"
	"slices"

	"github.com/wxpay-go/wxpay/fact"
)

// Call is a call of an operation.
type Call struct {
	Operation *fact.Operation
	Path      []Member // one for each placeholder; the values are strings
	Query     []Member
	Header    []Member
	Body      Object // nil without a body
	// Upload says that the call sends a file with Meta, the signed fields besides the file's name and digest.
	Upload bool
	Meta   []Member
}

// Member is a field with its value: a string, an int64, a float64, a bool, an Object, or a []any of these.
type Member struct {
	Field *fact.Field
	Value any
}

// Object is a JSON object.
type Object []Member

// All yields the members, for package ordered.
func (o Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range o {
			if !yield(m.Field.Name, m.Value) {
				return
			}
		}
	}
}

// maker makes the values of one call.
type maker struct {
	operation *fact.Operation
	filled    bool // the samples are the caller's
}

// Get returns the value at a place, as the facts name it: a placeholder in braces, or a field of the body.
func (c *Call) Get(place string) (value any, ok bool) {
	if m := c.at(place); m != nil {
		return m.Value, true
	}
	return nil, false
}

// Set gives the fields with these names, and the placeholders, the values.
func (c *Call) Set(values map[string]any) {
	for _, list := range [][]Member{c.Path, c.Query, c.Body} {
		for i := range list {
			if value, known := values[list[i].Field.Name]; known {
				list[i].Value = value
			}
		}
	}
}

func (c *Call) at(place string) *Member {
	list := []Member(c.Body)
	name, isPlaceholder := fact.Placeholder(place)
	if isPlaceholder {
		list = c.Path
	} else {
		name = place
	}
	for i := range list {
		if list[i].Field.Name == name {
			return &list[i]
		}
	}
	return nil
}

// conditions are the fields that a call needs although the documentation marks none of them as required: one of several,
// or one that depends on another. The field of an object has the names on the way to it, divided by dots.
var conditions = map[string][]string{
	"POST /brand/card-member/user-cards/{user_card_code}/confirm":               {"card_id"},
	"POST /brand/card-member/user-cards/{user_card_code}/invalidate":            {"card_id"},
	"POST /v3/brand/partner/card-member/user-cards/{user_card_code}/confirm":    {"card_id"},
	"POST /v3/brand/partner/card-member/user-cards/{user_card_code}/invalidate": {"card_id"},
	"POST /v3/combine-transactions/jsapi":                                       {"combine_payer_info", "combine_payer_info.openid"},
	"POST /v3/ecommerce/profitsharing/receivers/add":                            {"name"},
	"GET /v3/ecommerce/profitsharing/returnorders":                              {"out_order_no"},
	"POST /v3/ecommerce/profitsharing/returnorders":                             {"out_order_no"},
	"POST /v3/ecommerce/refunds/apply":                                          {"sub_mchid", "out_trade_no"},
	"GET /v3/ecommerce/refunds/id/{refund_id}":                                  {"sub_mchid"},
	"GET /v3/ecommerce/refunds/out-refund-no/{out_refund_no}":                   {"sub_mchid"},
	"POST /v3/ecommerce/refunds/{refund_id}/apply-abnormal-refund":              {"sub_mchid", "bank_type", "bank_account", "real_name"},
	"POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund":        {"bank_type", "bank_account", "real_name"},
	"POST /v3/payscore/serviceorder/{out_order_no}/sync":                        {"detail", "detail.paid_time"},
	"POST /v3/payscore/partner/serviceorder/{out_order_no}/sync":                {"detail", "detail.paid_time"},
	"POST /v3/profitsharing/orders":                                             {"receivers"},
	"POST /v3/profitsharing/return-orders":                                      {"out_order_no"},
	"GET /v3/profitsharing/return-orders/{out_return_no}":                       {"out_order_no"},
	"GET /v3/payscore/partner/serviceorder":                                     {"out_order_no"},
	"POST /v3/payscore/partner/serviceorder":                                    {"notify_url"},
	"GET /v3/payscore/serviceorder":                                             {"out_order_no"},
	"POST /v3/payscore/serviceorder":                                            {"notify_url"},
	"POST /v3/profitsharing/receivers/add":                                      {"name"},
	"POST /v3/refund/domestic/refunds":                                          {"out_trade_no"},
}

// needed reports whether a call needs a field that is not marked as required. One description that serves direct and
// partner callers marks no identity; the example is that of a direct caller.
func needed(operation *fact.Operation, path string) bool {
	return operation.Joined && (path == "mchid" || path == "appid") ||
		slices.Contains(conditions[operation.Method+" "+operation.Path], path)
}

// shown returns the fields that an example has: those that the call needs, or all plain ones if it needs none, or all. path
// leads to them, with a dot at its end.
func (m maker) shown(path string, fields []fact.Field) []*fact.Field {
	var chosen, plain, all []*fact.Field
	for i := range fields {
		field := &fields[i]
		all = append(all, field)
		if field.Required || needed(m.operation, path+field.Name) {
			chosen = append(chosen, field)
		}
		if len(field.Fields) == 0 {
			plain = append(plain, field)
		}
	}
	switch {
	case len(chosen) > 0:
		return chosen
	case len(plain) > 0:
		return plain
	}
	return all
}
