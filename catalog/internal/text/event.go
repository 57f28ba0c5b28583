package text

import "github.com/wxpay-go/wxpay/fact"

// EventKeys are the lines of an event in the order in which they are written.
var EventKeys = []Key[fact.Event]{
	flag("hand", true, func(e *fact.Event) *bool { return &e.ByHand }),
	word("name", func(e *fact.Event) *string { return &e.Name }),
	list("alias", func(e *fact.Event) *[]string { return &e.Aliases }),
	word("scheme", func(e *fact.Event) *fact.Scheme { return &e.Scheme }),
	list("resource-type", func(e *fact.Event) *[]string { return &e.ResourceTypes }),
	list("original-type", func(e *fact.Event) *[]string { return &e.OriginalTypes }),
	word("algorithm", func(e *fact.Event) *string { return &e.Algorithm }),
	list("variant", func(e *fact.Event) *[]string { return &e.Variants }),
	flag("joined", false, func(e *fact.Event) *bool { return &e.Joined }),
	flag("inferred", false, func(e *fact.Event) *bool { return &e.Inferred }),
	fields("resource", func(e *fact.Event) *[]fact.Field { return &e.Resource }),
	reply("reply-header", func(r *fact.Reply) *[]fact.Field { return &r.Header }),
	reply("reply-body", func(r *fact.Reply) *[]fact.Field { return &r.Body }),
	list("doc", func(e *fact.Event) *[]string { return &e.Docs }),
}

// reply is fields for one part of an event's Reply, which comes into being with its first part.
func reply(name string, at func(*fact.Reply) *[]fact.Field) Key[fact.Event] {
	return members(name,
		func(e *fact.Event) []fact.Field {
			if e.Reply == nil {
				return nil
			}
			return *at(e.Reply)
		},
		func(e *fact.Event, list []fact.Field) {
			if e.Reply == nil {
				e.Reply = &fact.Reply{}
			}
			*at(e.Reply) = list
		})
}
