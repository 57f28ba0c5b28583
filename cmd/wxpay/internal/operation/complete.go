package operation

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// Complete returns the completion of [METHOD] PATH.
func Complete(facts *catalog.Catalog) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var offers []cobra.Completion
		method := ""
		switch {
		case len(args) == 0:
			for _, known := range Methods {
				if strings.HasPrefix(known, strings.ToUpper(text)) {
					offers = append(offers, known)
				}
			}
		case len(args) == 1 && IsMethod(args[0]):
			method = strings.ToUpper(args[0])
		default:
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		paths, directive := CompleteFlag(facts, method)(nil, nil, text)
		return append(offers, paths...), directive
	}
}

// CompleteFlag returns the completion of a flag whose value is a path, of one method or of all.
func CompleteFlag(facts *catalog.Catalog, method string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		directive := cobra.ShellCompDirectiveNoFileComp
		paths := CompletePath(facts, method, text)
		for _, path := range paths {
			if place, _, _ := strings.Cut(path, "\t"); strings.HasSuffix(place, "/") {
				directive |= cobra.ShellCompDirectiveNoSpace // the path goes on
			}
		}
		return paths, directive
	}
}

// CompletePath offers the next segments of the paths that begin with text, of one method or of all. It does not offer
// whole paths, for a thousand of them would flood the terminal. A value that stands for a placeholder is kept. An offer
// with a slash at its end continues; one without is an operation, and has its name beside it. A single continuation is
// followed.
func CompletePath(facts *catalog.Catalog, method, text string) []cobra.Completion {
	slash := ""
	if strings.HasPrefix(text, "/") {
		slash, text = "/", text[1:]
	}
	var paths []way
	for operation := range facts.All() {
		if method == "" || operation.Method == method {
			paths = append(paths, way{strings.Split(operation.Path[1:], "/"), operation})
		}
	}
	given := strings.Split(text, "/")
	last := len(given) - 1
	for i, segment := range given[:last] {
		if paths = narrow(paths, i, segment); len(paths) == 0 {
			return nil
		}
	}
	head, begun := given[:last], given[last]
	for {
		offers := next(paths, head, begun)
		if len(offers) != 1 || len(offers[0].operations) > 0 { // the slash at the end of two paths belongs to them
			var list []cobra.Completion
			for _, offer := range offers {
				list = append(list, cobra.CompletionWithDesc(slash+offer.place, offer.description()))
			}
			return list
		}
		head = strings.Split(strings.TrimSuffix(offers[0].place, "/"), "/")
		paths = narrow(paths, len(head)-1, head[len(head)-1])
		begun = ""
	}
}

// way is one path on which the completion may go on.
type way struct {
	segments  []string
	operation *fact.Operation
}

// narrow keeps the ways whose segment i is the given one, or else a placeholder, and which go on behind it.
func narrow(paths []way, i int, segment string) []way {
	var literal, open []way
	for _, w := range paths {
		switch _, placeholder := fact.Placeholder(w.segments[i]); {
		case len(w.segments) == i+1:
		case w.segments[i] == segment:
			literal = append(literal, w)
		case placeholder && segment != "":
			open = append(open, w)
		}
	}
	if len(literal) > 0 {
		return literal
	}
	return open
}

// offer is one place where a path can go.
type offer struct {
	place      string
	operations []*fact.Operation // that end there
}

func (o *offer) description() string {
	var names []string
	for _, operation := range o.operations {
		names = append(names, operation.Method+" "+operation.Name)
	}
	return strings.Join(names, ", ")
}

// next returns the places behind head whose segment begins with begun, in order.
func next(paths []way, head []string, begun string) []*offer {
	var offers []*offer
	at := func(place string) *offer {
		i := slices.IndexFunc(offers, func(o *offer) bool { return o.place == place })
		if i < 0 {
			offers = append(offers, &offer{place: place})
			i = len(offers) - 1
		}
		return offers[i]
	}
	// If no segment begins like this, it may be a value for a placeholder.
	value := begun != "" && !slices.ContainsFunc(paths,
		func(w way) bool { return strings.HasPrefix(w.segments[len(head)], begun) })
	for _, w := range paths {
		segment := w.segments[len(head)]
		if _, placeholder := fact.Placeholder(segment); value && placeholder {
			segment = begun
		}
		if !strings.HasPrefix(segment, begun) {
			continue
		}
		place := strings.Join(append(slices.Clone(head), segment), "/")
		if len(w.segments) > len(head)+1 {
			at(place + "/")
		} else {
			o := at(place)
			o.operations = append(o.operations, w.operation)
		}
	}
	slices.SortFunc(offers, func(a, b *offer) int { return strings.Compare(a.place, b.place) })
	return offers
}
