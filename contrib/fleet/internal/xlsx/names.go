package xlsx

import "strconv"

// maxColumns and MaxRows are those of a sheet.
const (
	maxColumns = 16_384
	MaxRows    = 1 << 20
)

// Name returns the name of a cell, such as B7, by its column from 0 and its row from 1.
func Name(column, row int) string { return Letters(column) + strconv.Itoa(row) }

// Letters returns the name of a column, such as AA, by its number from 0.
func Letters(column int) (name string) {
	for column++; column > 0; column = (column - 1) / 26 {
		name = string(rune('A'+(column-1)%26)) + name
	}
	return name
}
