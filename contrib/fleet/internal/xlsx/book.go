// Package xlsx reads and writes workbooks (Office Open XML), as streams of rows. A reader learns from it how a cell is stored:
// a number of more than 15 digits, for one, is not the number that somebody typed.
package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Errors of files that are no workbook of this form.
var (
	ErrLegacy = errors.New("it is a workbook of the old form (.xls), or one with a password: save it as .xlsx without one")
	ErrForm   = errors.New("it is no workbook of the form .xlsx: save it as one")
)

// Worksheet is one sheet of a workbook.
type Worksheet struct {
	Name   string
	Hidden bool
	part   string
}

// Book is a workbook that is open. It is not for several goroutines.
type Book struct {
	parts  map[string]*zip.File
	sheets []Worksheet
	shared string // the part with the texts that cells share; empty if there is none, or they are read
	texts  []string
	styles []style
}

// The first bytes of a workbook: of an archive, and of what holds the old form, or one that is locked.
const (
	magic       = "PK\x03\x04"
	magicLegacy = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
)

// Like reports whether a file that begins so is most likely a workbook, of a form that Open reads or one that it refuses.
func Like(head []byte) bool {
	return bytes.HasPrefix(head, []byte(magic)) || bytes.HasPrefix(head, []byte(magicLegacy))
}

// maxTexts bounds the texts that cells share, which are kept in memory, in bytes.
const maxTexts = 512 << 20

// Open reads what a workbook says of its sheets.
func Open(r io.ReaderAt, size int64) (*Book, error) {
	var head [len(magicLegacy)]byte
	if _, err := r.ReadAt(head[:], 0); err != nil && err != io.EOF {
		return nil, err
	}
	if string(head[:]) == magicLegacy {
		return nil, ErrLegacy
	}
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrForm, err)
	}
	b := &Book{parts: make(map[string]*zip.File)}
	for _, f := range archive.File {
		b.parts[strings.ToLower(f.Name)] = f
	}
	book := ""
	err = b.relations("", func(r relation) {
		if r.is("officeDocument") {
			book = r.target
		}
	})
	if err != nil {
		return nil, err
	}
	if book == "" || b.parts[strings.ToLower(book)] == nil || path.Ext(book) == ".bin" { // .xlsb is not XML
		return nil, ErrForm
	}
	return b, b.index(book)
}

// Worksheets returns the sheets in their order.
func (b *Book) Worksheets() []Worksheet { return slices.Clone(b.sheets) }

// index reads the list of sheets, the texts and the styles.
func (b *Book) index(book string) error {
	parts := make(map[string]string) // of worksheets, by the id of their relation
	var styles string
	err := b.relations(book, func(r relation) {
		switch {
		case r.is("worksheet"):
			parts[r.id] = r.target
		case r.is("sharedStrings"):
			b.shared = r.target
		case r.is("styles"):
			styles = r.target
		}
	})
	if err != nil {
		return err
	}
	err = b.walk(book, func(e xml.StartElement, _ *tokens) error {
		if e.Name.Local != "sheet" {
			return nil
		}
		if part, ok := parts[attribute(e, "id")]; ok { // else it is a chart
			state := attribute(e, "state")
			b.sheets = append(b.sheets, Worksheet{Name: attribute(e, "name"), Hidden: state == "hidden" || state == "veryHidden", part: part})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(b.sheets) == 0 {
		return ErrForm
	}
	if styles != "" {
		return b.readStyles(styles)
	}
	return nil
}

// relation leads from one part of a workbook to another.
type relation struct{ id, kind, target string }

func (r relation) is(kind string) bool { return strings.HasSuffix(r.kind, "/"+kind) }

// relations reads those of a part.
func (b *Book) relations(part string, each func(relation)) error {
	dir, name := path.Split(part)
	list := dir + "_rels/" + name + ".rels"
	if b.parts[strings.ToLower(list)] == nil {
		return ErrForm
	}
	return b.walk(list, func(e xml.StartElement, _ *tokens) error {
		if e.Name.Local == "Relationship" {
			target := attribute(e, "Target")
			if !strings.HasPrefix(target, "/") {
				target = dir + target
			}
			each(relation{attribute(e, "Id"), attribute(e, "Type"), strings.TrimPrefix(path.Clean(target), "/")})
		}
		return nil
	})
}

// readTexts reads the texts that cells share.
func (b *Book) readTexts() error {
	if b.shared == "" {
		return nil
	}
	size := 0
	err := b.walk(b.shared, func(e xml.StartElement, in *tokens) error {
		if e.Name.Local != "si" {
			return nil
		}
		text, err := in.text("si")
		if size += len(text); size > maxTexts {
			return fmt.Errorf("its texts have more than %d bytes", maxTexts)
		}
		b.texts = append(b.texts, text)
		return err
	})
	b.shared = ""
	return err
}

// readStyles reads the styles that cells have.
func (b *Book) readStyles(part string) error {
	formats := make(map[string]string)
	cells := false
	return b.walk(part, func(e xml.StartElement, _ *tokens) error {
		switch e.Name.Local {
		case "numFmt":
			formats[attribute(e, "numFmtId")] = attribute(e, "formatCode")
		case "cellXfs":
			cells = true
		case "cellStyleXfs", "cellStyles", "dxfs":
			cells = false
		case "xf":
			if cells {
				id := attribute(e, "numFmtId")
				number, _ := strconv.Atoi(id)
				b.styles = append(b.styles, styleOf(number, formats[id]))
			}
		}
		return nil
	})
}

// walk calls visit for the elements of a part; visit may read on.
func (b *Book) walk(part string, visit func(xml.StartElement, *tokens) error) error {
	in, err := b.open(part)
	if err != nil {
		return err
	}
	defer in.close()
	for {
		token, err := in.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok {
			if err := visit(e, in); err != nil {
				return err
			}
		}
	}
}

// tokens reads the XML of a part.
type tokens struct {
	xml   *xml.Decoder
	from  io.ReadCloser
	left  int // bytes that the current token may still take
	where string
}

// maxToken bounds one token of XML, in bytes: a cell has at most 32,767 characters.
const maxToken = 1 << 20

func (b *Book) open(part string) (*tokens, error) {
	file := b.parts[strings.ToLower(part)]
	if file == nil {
		return nil, fmt.Errorf("its part %q is missing", part)
	}
	from, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("its part %q: %w", part, err)
	}
	in := &tokens{from: from, where: part}
	in.xml = xml.NewDecoder(in)
	in.xml.Strict = true
	return in, nil
}

func (t *tokens) Read(p []byte) (int, error) {
	if t.left <= 0 {
		return 0, errors.New("an element of it is too long")
	}
	n, err := t.from.Read(p[:min(len(p), 32<<10)])
	t.left -= n
	return n, err
}

func (t *tokens) close() { _ = t.from.Close() }

// next returns the next token. The content of a StartElement is valid until the next call.
func (t *tokens) next() (xml.Token, error) {
	t.left = maxToken
	token, err := t.xml.RawToken()
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("its part %q: %w", t.where, err)
	}
	return token, err
}

// text reads the text up to the end of an element: all of its t, but for those that only tell the pronunciation.
func (t *tokens) text(end string) (string, error) {
	var text []byte
	inside, spoken := false, false
	for {
		token, err := t.next()
		if err != nil {
			return "", t.cut(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local == "t"
			spoken = spoken || token.Name.Local == "rPh"
		case xml.EndElement:
			switch inside = false; token.Name.Local {
			case end:
				return unescaped(string(text)), nil
			case "rPh":
				spoken = false
			}
		case xml.CharData:
			if inside && !spoken {
				text = append(text, token...)
			}
		}
	}
}

// cut returns the error of a part that ends too early.
func (t *tokens) cut(err error) error {
	if err == io.EOF {
		return fmt.Errorf("its part %q: %w", t.where, io.ErrUnexpectedEOF)
	}
	return err
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
