package xlsx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Row is a row of a sheet.
type Row struct {
	Number int  // from 1
	Hidden bool // by hand or by a filter
	Cells  []Cell
}

// Cell is a cell of a row.
type Cell struct {
	// Text is its text, or its number without an exponent, or true or false.
	Text string
	// Number says that it is stored as a number.
	Number bool
	// Padded says that it is a number that is shown with more leading zeros than Text has.
	Padded bool
	// Wrong tells why Text is not what somebody has filled in; empty if nothing is known.
	Wrong string
}

// Rows reads the rows of a sheet that have a cell with something in it. A row is good until the next one.
func (b *Book) Rows(sheet Worksheet) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := b.readTexts(); err != nil {
			yield(Row{}, err)
			return
		}
		in, err := b.open(sheet.part)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer in.close()
		var row Row
		filled := 0 // cells up to the last one with something in it
		for {
			token, err := in.next()
			if err != nil {
				yield(Row{}, in.cut(err))
				return
			}
			switch token := token.(type) {
			case xml.StartElement:
				switch token.Name.Local {
				case "row":
					number := row.Number + 1
					if r := attribute(token, "r"); r != "" {
						if number, err = strconv.Atoi(r); err != nil || number <= row.Number || number > MaxRows {
							yield(Row{}, fmt.Errorf("after row %d of the sheet there is no right one", row.Number))
							return
						}
					}
					row = Row{Number: number, Hidden: isTrue(attribute(token, "hidden")), Cells: row.Cells[:0]}
					filled = 0
				case "c":
					if row.Cells, err = b.cell(row.Cells, token, in); err != nil {
						yield(Row{}, fmt.Errorf("row %d of the sheet: %w", row.Number, err))
						return
					}
					if last := row.Cells[len(row.Cells)-1]; last.Text != "" || last.Wrong != "" {
						filled = len(row.Cells)
					}
				}
			case xml.EndElement:
				switch token.Name.Local {
				case "row":
					if row.Cells = row.Cells[:filled]; filled > 0 && !yield(row, nil) {
						return
					}
				case "sheetData":
					return
				}
			}
		}
	}
}

// cell reads a cell, and appends it with the empty ones before it.
func (b *Book) cell(cells []Cell, e xml.StartElement, in *tokens) ([]Cell, error) {
	column := len(cells)
	if r := attribute(e, "r"); r != "" {
		at := 0
		for _, c := range strings.TrimRight(r, "0123456789") {
			if c < 'A' || c > 'Z' || at > maxColumns {
				return cells, errors.New("a cell has no right name")
			}
			at = at*26 + int(c-'A'+1)
		}
		column = at - 1
	}
	if column < len(cells) || column >= maxColumns {
		return cells, errors.New("a cell has no right name")
	}
	for len(cells) < column {
		cells = append(cells, Cell{})
	}
	kind, number := attribute(e, "t"), attribute(e, "s")
	var value []byte
	text, formula, inside, some := "", false, false, false
	for {
		token, err := in.next()
		if err != nil {
			return cells, in.cut(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch token.Name.Local {
			case "v":
				inside, some = true, true
			case "f":
				formula = true
			case "is":
				if text, err = in.text("is"); err != nil {
					return cells, err
				}
			}
		case xml.CharData:
			if inside {
				value = append(value, token...)
			}
		case xml.EndElement:
			switch inside = false; token.Name.Local {
			case "c":
				c := Cell{Text: text}
				switch {
				case some:
					c = b.value(kind, number, string(value))
				case formula:
					c.Wrong = "its formula has no result yet: open the file in a spreadsheet program and save it"
				}
				return append(cells, c), nil
			}
		}
	}
}

// value is a cell with a value, by its type and the number of its style.
func (b *Book) value(kind, style, value string) Cell {
	switch kind {
	case "s":
		if i, err := strconv.Atoi(value); err == nil && i >= 0 && i < len(b.texts) {
			return Cell{Text: b.texts[i]}
		}
		return Cell{Wrong: "its text is missing in the file"}
	case "str", "inlineStr":
		return Cell{Text: unescaped(value)}
	case "b":
		return Cell{Text: strconv.FormatBool(isTrue(value))}
	case "e":
		return Cell{Text: value, Wrong: "it has the error " + printed(value)}
	case "d":
		return Cell{Text: value, Wrong: isDate}
	}
	if value == "" {
		return Cell{}
	}
	text, exact := decimal(value)
	c := Cell{Text: text, Number: true}
	if !exact {
		c.Wrong = "a spreadsheet program keeps 15 digits of a number, and the others of this one are lost: " +
			"make the column text, and fill it in again"
	}
	if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(b.styles) {
		if b.styles[i].date {
			c.Wrong = isDate
		} else if b.styles[i].scaled {
			c.Wrong = "it is shown as a percentage, or in thousands, so people see another number: " +
				"make the column text, and fill it in again"
		}
		c.Padded = len(text) < b.styles[i].digits
	}
	return c
}

const isDate = "it is a date of a spreadsheet program, which keeps no time zone: make the column text, " +
	"and write dates as the request has them, such as 2026-01-31T23:59:59+08:00"

// errorsOfCells are all that there are; a file may have any text in their place.
var errorsOfCells = []string{"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!"}

func printed(value string) string {
	for _, known := range errorsOfCells {
		if value == known {
			return value
		}
	}
	return "of a formula"
}

// decimal writes a number as a spreadsheet program shows it, which is with 15 digits, and without an exponent: what is stored
// as 12.300000000000001 was computed, and is 12.3. exact is false for one of more digits before the point, which has lost some.
func decimal(value string) (text string, exact bool) {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return value, false
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', 14, 64), 64)
	return strconv.FormatFloat(rounded, 'f', -1, 64), rounded < 1e15 && rounded > -1e15
}

func isTrue(value string) bool { return value == "1" || value == "true" }
