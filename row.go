package wxpay

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/internal/bill"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Row is one line of a bill.
type Row struct {
	// Line counts the lines of the file from 1.
	Line int

	values bill.Values
}

// Format prints the line and the number of values under every verb: values identify people.
func (r Row) Format(s fmt.State, verb rune) { redact.Format(s, verb, r.text()) }

// MarshalText gives encodings what Format prints.
func (r Row) MarshalText() ([]byte, error) { return []byte(r.text()), nil }

func (r *Row) text() string {
	return fmt.Sprintf("wxpay.Row{line %d, %d values}", r.Line, r.values.Len())
}

// Columns returns the names of the columns in the bill. Do not change them.
func (r Row) Columns() []string { return r.values.Columns() }

// Values returns the values in the order of Columns, without the back-tick before each in the file.
func (r Row) Values() []string { return r.values.All() }

// Get returns the value of a column by its name, such as 微信订单号, which is wxbill.TransactionID;
// "" if there is no such column.
func (r Row) Get(column string) string { return r.values.Get(column) }

// Fen returns the amount of a column, such as wxbill.Amount, in fen; bills write it in yuan. See
// [ParseYuan]. A column that the bill does not have is an error.
func (r Row) Fen(column string) (int64, error) {
	fen, err := ParseYuan(r.Get(column))
	if err != nil && !slices.Contains(r.Columns(), column) {
		err = errors.New("there is no such column; there are " + redact.List(r.Columns(), redact.OneLine))
	}
	if err != nil {
		return 0, fmt.Errorf("line %d, column %s: %w", r.Line, redact.Quote(column), err)
	}
	return fen, nil
}

// ParseYuan converts an amount in yuan, in the form of bills (12.30, -0.01, 0.00000), exactly to
// fen. Anything else, a fraction of a fen and an amount that does not fit an int64 are errors.
func ParseYuan(yuan string) (int64, error) { return bill.ParseYuan(yuan) }
