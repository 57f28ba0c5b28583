package batch

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
)

// formatOf tells the format of a file: a workbook by its beginning, whatever its name is, the others by the name.
func formatOf(path string) string {
	var magic [8]byte
	if file, err := os.Open(path); err == nil {
		_, _ = io.ReadFull(file, magic[:])
		file.Close()
	}
	if xlsx.Like(magic[:]) {
		return "xlsx"
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv", ".tsv":
		return "csv"
	case ".xlsx", ".xls":
		return "xlsx"
	}
	return "ndjson"
}
