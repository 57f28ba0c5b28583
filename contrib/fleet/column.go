package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Column says where a column of a CSV file, or a member of an NDJSON line, goes.
type Column struct {
	// From is its name; "*" stands for all that no other Column names.
	From string
	// To is a member of the body, in a CSV file by its dotted path; a placeholder of the path in braces; a query member
	// behind a question mark; or empty, to leave it out.
	To string
	// Type is the JSON type of a member that comes from CSV: string, integer, number, boolean or json. Empty takes the
	// documented one, else string.
	Type string
}

var columnTypes = []string{"string", "integer", "number", "boolean", "json"}

// ParseColumn reads a column in the form FROM=TO[:TYPE], such as "code=user_card_code", "points=point_balance:integer",
// "order={out_trade_no}" or "*=".
func ParseColumn(text string) (Column, error) {
	from, to, ok := strings.Cut(text, "=")
	if !ok || from == "" {
		return Column{}, fmt.Errorf("the column %q is not of the form FROM=TO", text)
	}
	to, kind, typed := strings.Cut(to, ":")
	if typed && !slices.Contains(columnTypes, kind) {
		return Column{}, fmt.Errorf("the type %q of column %q is not one of %s", kind, from, strings.Join(columnTypes, ", "))
	}
	if from == "*" && to != "" {
		return Column{}, errors.New(`the column "*" stands for many: it can only be left out, "*="`)
	}
	return Column{from, to, kind}, nil
}
