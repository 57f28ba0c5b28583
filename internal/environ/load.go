package environ

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/wxpay-go/wxpay/internal/keytext"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Load parses a key or a certificate, which is a file's path, or the text itself in a form that
// package keytext finds.
func Load[K any](pathOrText string, parse func([]byte) (K, error)) (K, error) {
	if strings.Contains(pathOrText, "-----BEGIN") {
		return parse([]byte(pathOrText))
	}
	data, err := os.ReadFile(pathOrText)
	if err == nil {
		key, err := parse(data)
		if err != nil {
			err = fmt.Errorf("the file %s: %w", redact.Quote(pathOrText), err)
		}
		return key, err
	}
	if keytext.IsEncoded(pathOrText) {
		return parse([]byte(pathOrText))
	}
	var none K
	return none, unreadable(pathOrText, err)
}

// unreadable returns the error of a text that is no key and no path of a readable file. It shows a
// path, and no other text, which may be a damaged key.
func unreadable(text string, err error) error {
	var failure *os.PathError
	if !errors.As(err, &failure) || text == "" {
		return errors.New("it is neither the text of a key nor the path of a readable file")
	}
	if _, err := os.Stat(text); err != nil && !isPath(text) {
		return fmt.Errorf("it is neither the text of a key nor the path of a readable file (it is not shown, because it may be a key): %w%s", failure.Err, hidden(text))
	}
	where := ""
	if folder, err := os.Getwd(); err == nil && !filepath.IsAbs(text) {
		where = ", in the folder " + redact.Quote(folder) + ","
	}
	return fmt.Errorf("the file %s%s cannot be read: %w%s", redact.Quote(text), where, failure.Err, hidden(text))
}

func hidden(text string) string {
	if err := visible.Line(text); err != nil {
		return "; its " + err.Error()
	}
	return ""
}

// absolute is a path from the root that has no capitals, as base64 does.
var absolute = regexp.MustCompile(`^(?:/[a-z0-9_-]+)+/?$`)

// isPath reports whether a text is the path of a file and no part of a key: it has a dot, which no
// base64 has, or it begins at the root and has no capitals.
func isPath(text string) bool {
	return len(text) <= 255 && !strings.ContainsAny(text, "\n\r") && (strings.Contains(text, ".") || absolute.MatchString(text))
}
