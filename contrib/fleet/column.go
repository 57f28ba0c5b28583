package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
	"github.com/wxpay-go/wxpay/fact"
)

// Column says where a column of a table, or a field of an NDJSON line, goes.
type Column struct {
	// From is its name; "*" stands for all that no other Column names. Empty stands for Value, the
	// same in each row.
	From string
	// To is a field of the body, in a table by its dotted path; a placeholder of the path in
	// braces; a query field behind a question mark; or empty, to leave the column out.
	To string
	// Type is the JSON type of a field that comes from a table: string, integer, number, boolean
	// or json; or the unit of an amount, fen or yuan. The request has fen: yuan are converted
	// exactly, and no fraction of a fen is taken. Empty takes the documented type, else string. A
	// documented amount needs a unit, unless the column has the name of the field.
	Type  string
	Value string
}

// Units of amounts, beside the types of the catalogue.
const (
	kindFen  fact.Type = "fen"
	kindYuan fact.Type = "yuan"
)

var columnTypes = []string{"string", "integer", "number", "boolean", "json", string(kindFen), string(kindYuan)}

// constant reports whether it is a value, not a column.
func (c Column) constant() bool { return c.From == "" }

// ParseColumn reads a column in the form TO=FROM[:TYPE], such as "user_card_code=code",
// "amount.refund=退款金额:yuan" or "{out_trade_no}=order", or a constant in the form TO==VALUE, such as
// "amount.currency==CNY".
func ParseColumn(text string) (Column, error) {
	to, from, ok := strings.Cut(text, "=")
	if !ok || to == "" || from == "" {
		return Column{}, fmt.Errorf("the column %q is not of the form FIELD=COLUMN or FIELD==VALUE", text)
	}
	if value, constant := strings.CutPrefix(from, "="); constant {
		if value == "" {
			return Column{}, fmt.Errorf("the constant for %q is empty", to)
		}
		return Column{To: to, Value: value}, nil
	}
	kind := ""
	if i := strings.LastIndexByte(from, ':'); i > 0 && slices.Contains(columnTypes, from[i+1:]) {
		from, kind = from[:i], from[i+1:]
	}
	if from == "*" {
		return Column{}, errors.New(`the column "*" stands for many, which cannot all go to one field`)
	}
	return Column{From: from, To: to, Type: kind}, nil
}

// tableColumn is a column of a table, and what is known of its values so far.
type tableColumn struct {
	name string
	used bool // a field takes its values
	text bool // as text
	// The values that are all digits: their number, the length of the longest, whether lengths
	// differ, and whether one began with a zero.
	numbers int
	longest int
	uneven  bool
	zero    bool
}

// check reports why the text of a cell is not what somebody has filled in; empty if nothing is
// seen.
func (c *tableColumn) check(cell xlsx.Cell) string {
	if cell.Wrong != "" {
		return cell.Wrong
	}
	if !utf8.ValidString(cell.Text) {
		return "it is not UTF-8"
	}
	if why := spoilt(cell.Text); why != "" || !c.text {
		return why
	}
	const again = ": make the column text, and fill it in again"
	if cell.Padded {
		return "it is a number that is only shown with zeros in front" + again
	}
	if cell.Text == "" || strings.Trim(cell.Text, "0123456789") != "" {
		return ""
	}
	n := len(cell.Text)
	if c.zero && cell.Text[0] != '0' && n < c.longest && (cell.Number || !c.uneven && c.numbers >= 3) {
		return fmt.Sprintf("it has %d digits, and those above have %d, some with zeros in front, which a spreadsheet program drops%s", n, c.longest, again)
	}
	c.uneven = c.uneven || c.numbers > 0 && n != c.longest
	c.longest = max(c.longest, n)
	c.zero = c.zero || cell.Text[0] == '0'
	c.numbers++
	return ""
}
