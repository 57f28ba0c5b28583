// Package pack holds the form in which a program embeds the catalogue: chunks of rows, each compressed by itself, so that
// looking one operation up unpacks a thirtieth of the data and parses one row.
//
// Write makes two files. The facts are what calls need. The texts are what people read beside them, labels and samples,
// in the same chunks, and useless without the facts. Both are made from the readable texts of the catalogue's folder data,
// which are the source; nobody edits a packed file.
package pack

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// chunkSize is how many bytes of facts make a chunk full. Smaller chunks are unpacked faster, but compressed worse.
const chunkSize = 32 << 10

// Write packs a sorted document: operations, events, codes. The first part of the facts is the index: the first line of every row,
// a block of lines for each chunk.
func Write(doc *text.Document) (facts, texts []byte, err error) {
	var index, factParts, textParts []string
	var heads, factRows, textRows []string
	size := 0
	flush := func() {
		if size == 0 {
			return
		}
		index = append(index, strings.Join(heads, "\n"))
		factParts = append(factParts, strings.Join(factRows, "\n\n"))
		textParts = append(textParts, strings.Join(textRows, "\n\n"))
		heads, factRows, textRows, size = nil, nil, nil, 0
	}
	add := func(row *text.Document) {
		written := strings.TrimSuffix(text.FormatFacts(row), "\n")
		head, _, _ := strings.Cut(written, "\n")
		heads, factRows = append(heads, head), append(factRows, written)
		textRows = append(textRows, strings.TrimSuffix(text.FormatTexts(row), "\n"))
		if size += len(written); size >= chunkSize {
			flush()
		}
	}
	for _, operation := range doc.Operations {
		add(&text.Document{Operations: []*fact.Operation{operation}})
	}
	flush() // an event is looked up by itself
	for _, event := range doc.Events {
		add(&text.Document{Events: []*fact.Event{event}})
	}
	flush()
	for _, code := range doc.Codes {
		add(&text.Document{Codes: []*fact.Code{code}})
	}
	flush()
	if facts, err = join(append([]string{strings.Join(index, "\n\n")}, factParts...)); err == nil {
		texts, err = join(textParts)
	}
	return facts, texts, err
}

// join compresses parts one by one. The file begins with a line for each part, its length and that of what is left of it,
// and an empty line.
func join(parts []string) ([]byte, error) {
	var head, body bytes.Buffer
	for _, part := range parts {
		before := body.Len()
		w, err := flate.NewWriter(&body, flate.BestCompression)
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, part); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		fmt.Fprintln(&head, len(part), body.Len()-before)
	}
	head.WriteByte('\n')
	return append(head.Bytes(), body.Bytes()...), nil
}

// File is a packed file that is open. It shares the memory of what it was opened from.
type File struct{ parts []part }

type part struct {
	size       int // uncompressed
	compressed string
}

// Open reads where the parts of a packed file are.
func Open(packed string) (*File, error) {
	head, body, ok := strings.Cut(packed, "\n\n")
	if !ok {
		return nil, fmt.Errorf("no packed file: it has no head")
	}
	f := &File{}
	for line := range strings.SplitSeq(head, "\n") {
		size, length, _ := strings.Cut(line, " ")
		whole, err := strconv.Atoi(size)
		if err != nil {
			return nil, fmt.Errorf("no packed file: %w", err)
		}
		n, err := strconv.Atoi(length)
		if err != nil {
			return nil, fmt.Errorf("no packed file: %w", err)
		}
		if n < 0 || n > len(body) || whole < 0 {
			return nil, fmt.Errorf("the packed file is cut off")
		}
		f.parts = append(f.parts, part{whole, body[:n]})
		body = body[n:]
	}
	if body != "" {
		return nil, fmt.Errorf("the packed file goes on behind its end")
	}
	return f, nil
}

// Parts is the number of parts.
func (f *File) Parts() int { return len(f.parts) }

// Blocks unpacks a part and returns its blocks: the rows of a chunk, or the chunks of the index.
func (f *File) Blocks(i int) ([]string, error) {
	var b strings.Builder
	b.Grow(min(f.parts[i].size, 1<<20))
	r := flate.NewReader(strings.NewReader(f.parts[i].compressed))
	if n, err := io.Copy(&b, r); err != nil || n != int64(f.parts[i].size) {
		return nil, fmt.Errorf("part %d of the packed file is damaged: %d of %d bytes, %v", i, n, f.parts[i].size, err)
	}
	return strings.Split(b.String(), "\n\n"), nil
}

// Same reports whether two packed files say the same, however they are compressed. A file that cannot be read says nothing.
func Same(a, b string) bool {
	first, err := Open(a)
	if err != nil {
		return false
	}
	second, err := Open(b)
	if err != nil || len(first.parts) != len(second.parts) {
		return false
	}
	for i := range first.parts {
		x, err := first.Blocks(i)
		if err != nil {
			return false
		}
		if y, err := second.Blocks(i); err != nil || !slices.Equal(x, y) {
			return false
		}
	}
	return true
}
