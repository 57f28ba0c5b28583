package catalog

import (
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

//go:generate go run ./internal/gen -catalog . -pack

//go:embed catalog.txt.gz
var packed string

// Catalog is a set of facts. Get one from V3.
type Catalog struct {
	operations []*fact.Operation
	events     []*fact.Event
	paths      node
}

var v3 = sync.OnceValue(load)

// V3 returns the catalogue of APIv3. The first call unpacks it; all calls return the same one.
func V3() *Catalog { return v3() }

// load panics when the embedded copy is damaged: no caller could do anything about that, and tests exclude it.
func load() *Catalog {
	content, err := unpack(packed)
	if err != nil {
		panic("catalog: the embedded copy is damaged: " + err.Error())
	}
	doc, err := text.Parse(content)
	if err != nil {
		panic("catalog: the embedded copy is damaged: " + err.Error())
	}
	c := &Catalog{operations: doc.Operations, events: doc.Events}
	for _, operation := range c.operations {
		c.paths.add(operation)
	}
	return c
}

// unpack reads a gzip file in one piece of memory: its last four bytes tell the length.
func unpack(packed string) (string, error) {
	r, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.Grow(int(binary.LittleEndian.Uint32([]byte(packed[len(packed)-4:]))))
	_, err = io.Copy(&b, r)
	return b.String(), err
}

// All yields every operation, sorted by path, then by GET, POST, PUT, PATCH, DELETE.
func (c *Catalog) All() iter.Seq[*fact.Operation] { return slices.Values(c.operations) }

// Events yields every event, sorted by type.
func (c *Catalog) Events() iter.Seq[*fact.Event] { return slices.Values(c.events) }

// Event returns the event of that type. An alias is not a type: the notification it heads says more by its
// original_type.
func (c *Catalog) Event(eventType string) (*fact.Event, bool) {
	i, found := slices.BinarySearchFunc(c.events, eventType, func(e *fact.Event, eventType string) int {
		return strings.Compare(e.Type, eventType)
	})
	if !found {
		return nil, false
	}
	return c.events[i], true
}
