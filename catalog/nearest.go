package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// Bounds of the work of one Nearest: a longer path is no typo.
const (
	maxSegments = 24
	maxSegment  = 64 // bytes
)

// Costs of the faults of a path, in hundredths of a segment.
const (
	otherSegment   = 100
	missingSegment = 70
	missingVersion = 30 // the leading v3
	missingSlash   = 10 // a trailing slash, as well as one too many
	otherSpelling  = 10 // user_feeds or userFeeds for user-feeds
	wordAsValue    = 30 // what looks like a literal segment, for a placeholder
	otherName      = 5  // a placeholder of another name

	tooFar = 130 // a path that costs more is not near
)

// Nearest returns at most n templates that are near to an unknown path, the nearest first, none if
// all are far. The path may be a template or a concrete path. A known path comes first itself.
// Methods returns the methods of a template.
func (c *Catalog) Nearest(path string, n int) []string {
	path = strings.TrimPrefix(path, "/")
	if n <= 0 || strings.Count(path, "/") >= maxSegments {
		return nil
	}
	m := newMeasure(strings.Split(path, "/"))
	type candidate struct {
		template string
		cost     int
	}
	var near []candidate
	last := ""
	for _, operation := range c.operations {
		if operation.name == last {
			continue
		}
		last = operation.name
		if cost := m.cost(last); cost <= tooFar && 3*cost < otherSegment*len(m.given) { // a third of it may be wrong
			near = append(near, candidate{last, cost})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.cost, b.cost) })
	near = near[:min(n, len(near))]
	templates := make([]string, len(near))
	for i, candidate := range near {
		templates[i] = candidate.template
	}
	return templates
}

// measure computes the distances of templates from one given path.
type measure struct {
	given  []string
	folded []string
	// known holds, for each given segment, its cost as a literal.
	known []map[string]int
	// row and above are lines of the table of distances, letters those of the one between two
	// segments.
	row, above, letters []int
}

func newMeasure(given []string) *measure {
	m := &measure{given: given, row: make([]int, len(given)+1), above: make([]int, len(given)+1)}
	for _, segment := range given {
		m.folded = append(m.folded, fold(segment))
		m.known = append(m.known, map[string]int{})
	}
	return m
}

// cost is the edit distance between the given path and a template, in hundredths of a segment;
// anything beyond tooFar when it is more than that.
func (m *measure) cost(template string) int {
	m.row[0] = 0
	for i, segment := range m.given {
		m.row[i+1] = m.row[i] + gap(segment, i)
	}
	k := 0
	for segment := range strings.SplitSeq(template[1:], "/") {
		m.row, m.above = m.above, m.row
		m.row[0] = m.above[0] + gap(segment, k)
		least := m.row[0]
		for i := range m.given {
			m.row[i+1] = min(m.above[i]+m.segment(i, segment), m.above[i+1]+gap(segment, k), m.row[i]+gap(m.given[i], i))
			least = min(least, m.row[i+1])
		}
		if least > tooFar {
			return least // no further segment makes it less
		}
		k++
	}
	return m.row[len(m.given)]
}

// gap is the cost of a segment, at index i, that stands in only one of the two paths.
func gap(segment string, i int) int {
	switch {
	case segment == "":
		return missingSlash
	case i == 0 && segment == "v3":
		return missingVersion
	}
	return missingSegment
}

// segment is the cost of the given segment at index i as that of a template.
func (m *measure) segment(i int, wanted string) int {
	given := m.given[i]
	switch {
	case given == wanted:
		return 0
	case isPlaceholder(wanted):
		switch {
		case isPlaceholder(given):
			return otherName
		case !isValue(given):
			return otherSegment
		case strings.ContainsAny(given, "0123456789%ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
			return 0
		}
		return wordAsValue
	case given == "", wanted == "", len(given) > maxSegment, isPlaceholder(given):
		return otherSegment
	}
	cost, known := m.known[i][wanted]
	if !known {
		cost = m.spelling(m.folded[i], fold(wanted))
		m.known[i][wanted] = cost
	}
	return cost
}

// spelling compares two folded segments: the share of letters that are wrong, and otherSegment when
// it is most of them.
func (m *measure) spelling(a, b string) int {
	if a == b {
		return otherSpelling
	}
	long := max(len(a), len(b))
	cost := otherSpelling + (otherSegment-otherSpelling)*m.distance(a, b)/long
	if cost > otherSegment*6/10 {
		return otherSegment
	}
	return cost
}

// distance counts the bytes that have to be inserted, removed, replaced, or swapped with the next
// to turn a into b.
func (m *measure) distance(a, b string) int {
	width := len(b) + 1
	if size := width * (len(a) + 1); cap(m.letters) < size {
		m.letters = make([]int, size)
	}
	t := m.letters[:width*(len(a)+1)]
	for k := range width {
		t[k] = k
	}
	for i := 1; i <= len(a); i++ {
		t[i*width] = i
		for k := 1; k <= len(b); k++ {
			at := i*width + k
			wrong := 1
			if a[i-1] == b[k-1] {
				wrong = 0
			}
			t[at] = min(t[at-width]+1, t[at-1]+1, t[at-width-1]+wrong)
			if i > 1 && k > 1 && a[i-1] == b[k-2] && a[i-2] == b[k-1] {
				t[at] = min(t[at], t[at-2*width-2]+1)
			}
		}
	}
	return t[width*len(a)+len(b)]
}

// NearestEvents returns at most n event types that are near to an unknown one, the nearest first,
// none if all are far. A type that ends in a dot is a beginning, and the results are beginnings
// too.
func (c *Catalog) NearestEvents(eventType string, n int) []string {
	if len(eventType) > 2*maxSegment { // no mistyped one
		return nil
	}
	type candidate struct {
		name string
		cost int
	}
	m, given := new(measure), strings.ToUpper(eventType)
	dots := strings.Count(given, ".")
	var near []candidate
	last := ""
	for _, e := range c.events {
		name := e.name
		if strings.HasSuffix(given, ".") {
			if name = beginning(name, dots); name == last || name == "" {
				continue
			}
			last = name
		}
		if cost := m.distance(given, name); 3*cost <= len(name) { // a third of it may be wrong
			near = append(near, candidate{name, cost})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.cost, b.cost) })
	near = near[:min(max(n, 0), len(near))]
	names := make([]string, len(near))
	for i, candidate := range near {
		names[i] = candidate.name
	}
	return names
}

// beginning returns a type through its nth dot, empty if it has fewer.
func beginning(eventType string, n int) string {
	end := 0
	for range n {
		i := strings.IndexByte(eventType[end:], '.')
		if i < 0 {
			return ""
		}
		end += i + 1
	}
	return eventType[:end]
}
