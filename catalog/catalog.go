package catalog

import (
	_ "embed"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/catalog/internal/pack"
	"github.com/wxpay-go/wxpay/fact"
)

//go:generate go run ./internal/gen -catalog . -pack

//go:embed facts.pack
var packedFacts string

//go:embed texts.pack
var packedTexts string

// Catalog is a set of facts. Get one from V3.
type Catalog struct {
	operations []*row[fact.Operation]
	events     []*row[fact.Event]
	codes      []*row[fact.Code]
	paths      node

	described func() *Catalog
}

var v3 = sync.OnceValue(load)

// V3 returns the catalogue of APIv3. The first call reads its index; all calls return the same one.
func V3() *Catalog { return v3() }

// load panics if an embedded copy is damaged, and so does the first use of a row: no caller could
// help it, and tests exclude it.
func load() *Catalog {
	facts := open(packedFacts)
	c := read(&source{facts: facts})
	c.described = sync.OnceValue(func() *Catalog { return read(&source{facts: facts, texts: open(packedTexts)}) })
	return c
}

func open(packed string) *pack.File {
	f, err := pack.Open(packed)
	if err != nil {
		panic(damaged(err))
	}
	return f
}

// read returns a catalogue with only the index unpacked.
func read(from *source) *Catalog {
	c := &Catalog{}
	for i, block := range from.blocks(from.facts, 0) {
		chunk := &chunk{from: from, number: i}
		at := 0
		for head := range strings.SplitSeq(block, "\n") {
			kind, name, _ := strings.Cut(head, " ")
			switch kind {
			case "event":
				c.events = append(c.events, &row[fact.Event]{name: name, chunk: chunk, at: at})
			case "code":
				c.codes = append(c.codes, &row[fact.Code]{name: name, chunk: chunk, at: at})
			default:
				operation := &row[fact.Operation]{method: kind, name: name, chunk: chunk, at: at}
				c.operations = append(c.operations, operation)
				c.paths.add(operation)
			}
			at++
		}
	}
	return c
}

// Described returns the same catalogue with texts for people: Label, EnumLabels and Sample of
// fields. Use it for manuals, descriptions and messages. It is loaded at its first use. Its rows
// are distinct from those of c.
func (c *Catalog) Described() *Catalog {
	if c.described == nil {
		return c
	}
	return c.described()
}

// All yields every operation, sorted by path, then by GET, POST, PUT, PATCH, DELETE.
func (c *Catalog) All() iter.Seq[*fact.Operation] { return values(c.operations, operationOf) }

// Events yields every event, sorted by type.
func (c *Catalog) Events() iter.Seq[*fact.Event] { return values(c.events, eventOf) }

func values[T any](rows []*row[T], of func(*row[T]) *T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, r := range rows {
			if !yield(of(r)) {
				return
			}
		}
	}
}

// Event returns the event of that type. An alias is not a type: the notification's original_type
// says more.
func (c *Catalog) Event(eventType string) (*fact.Event, bool) {
	i, found := find(c.events, eventType)
	if !found {
		return nil, false
	}
	return eventOf(c.events[i]), true
}

func find[T any](rows []*row[T], name string) (int, bool) {
	return slices.BinarySearchFunc(rows, name, func(r *row[T], name string) int { return strings.Compare(r.name, name) })
}

// Codes yields the error codes that the platform's usual lists lack, sorted by name.
func (c *Catalog) Codes() iter.Seq[*fact.Code] { return values(c.codes, codeOf) }

// Code returns one of the error codes that the platform's usual lists lack.
func (c *Catalog) Code(name string) (*fact.Code, bool) {
	i, found := find(c.codes, name)
	if !found {
		return nil, false
	}
	return codeOf(c.codes[i]), true
}
