package catalog

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wxpay-go/wxpay/catalog/internal/pack"
	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// row is an operation or an event, parsed at its first use and immutable from then on.
type row[T any] struct {
	method string // empty for an event
	name   string // the path of an operation, the type of an event
	chunk  *chunk
	at     int          // in the chunk
	also   []*row[T]    // of an operation: those that look alike
	parsed atomic.Value // a *T
}

// made returns what was parsed, nil before. It is a function, and parsed is no atomic.Pointer, since
// the compiler compiles the methods of generic types again for each package that can reach them.
func made[T any](r *row[T]) *T {
	done, _ := r.parsed.Load().(*T)
	return done
}

// source is the packed data of a catalogue's rows.
type source struct {
	facts  *pack.File
	texts  *pack.File // nil if not needed
	mu     sync.Mutex // held while rows are unpacked and parsed
	parser text.Parser
}

// chunk is a run of rows in one compressed block. The first use of a row unpacks it.
type chunk struct {
	from   *source
	number int
	facts  []string // the rows
	texts  []string // their texts for people
}

func (s *source) blocks(f *pack.File, part int) []string {
	blocks, err := f.Blocks(part)
	if err != nil {
		panic(damaged(err))
	}
	return blocks
}

// parse reads one row of the chunk, and its texts for people. The source is locked.
func (c *chunk) parse(at int) (doc *text.Document, texts string) {
	if c.facts == nil {
		c.facts = c.from.blocks(c.from.facts, c.number+1) // the index is before the chunks
		if c.from.texts != nil {
			c.texts = c.from.blocks(c.from.texts, c.number)
		}
	}
	doc, err := c.from.parser.Parse(c.facts[at])
	if err != nil {
		panic(damaged(err))
	}
	if c.texts != nil {
		texts = c.texts[at]
	}
	return doc, texts
}

func (c *chunk) code(at int) *fact.Code {
	doc, _ := c.parse(at)
	return doc.Codes[0]
}

func operationOf(r *row[fact.Operation]) *fact.Operation {
	if done := made(r); done != nil {
		return done
	}
	r.chunk.from.mu.Lock()
	defer r.chunk.from.mu.Unlock()
	if done := made(r); done != nil {
		return done
	}
	// operations of the same shape name each other, so all of them are parsed before one is visible
	group := append([]*row[fact.Operation]{r}, r.also...)
	slices.SortFunc(group, func(a, b *row[fact.Operation]) int { return strings.Compare(a.name, b.name) })
	all := make([]*fact.Operation, len(group))
	for i, one := range group {
		all[i] = one.chunk.operation(one.at)
	}
	for i, one := range group {
		if len(group) > 1 {
			all[i].Also = slices.Delete(slices.Clone(all), i, i+1)
		}
		one.parsed.Store(all[i])
	}
	return made(r)
}

// operation, event and code parse a row of the chunk. The source is locked.
func (c *chunk) operation(at int) *fact.Operation {
	doc, texts := c.parse(at)
	operation := doc.Operations[0]
	if c.from.texts != nil {
		if err := text.AddOperationTexts(operation, texts); err != nil {
			panic(damaged(err))
		}
	}
	return operation
}

func (c *chunk) event(at int) *fact.Event {
	doc, texts := c.parse(at)
	event := doc.Events[0]
	if c.from.texts != nil {
		if err := text.AddEventTexts(event, texts); err != nil {
			panic(damaged(err))
		}
	}
	return event
}

func eventOf(r *row[fact.Event]) *fact.Event { return parsed(r, (*chunk).event) }

func codeOf(r *row[fact.Code]) *fact.Code { return parsed(r, (*chunk).code) }

// parsed returns the content of a row on which no other row depends.
func parsed[T any](r *row[T], parse func(*chunk, int) *T) *T {
	if done := made(r); done != nil {
		return done
	}
	r.chunk.from.mu.Lock()
	defer r.chunk.from.mu.Unlock()
	if made(r) == nil {
		r.parsed.Store(parse(r.chunk, r.at))
	}
	return made(r)
}

func damaged(err error) string { return "catalog: an embedded copy is damaged: " + err.Error() }
