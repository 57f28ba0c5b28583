package environ

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wxpay-go/wxpay/internal/visible"
)

// Load parses a key or a certificate, which is a file's path or the PEM text itself.
func Load[K any](pathOrPEM string, parse func([]byte) (K, error)) (K, error) {
	if strings.Contains(pathOrPEM, "-----BEGIN") {
		return parse([]byte(pathOrPEM))
	}
	// A text that is neither PEM nor a readable file might be a damaged key, so the error does not repeat it.
	var none K
	data, err := os.ReadFile(pathOrPEM)
	if err == nil {
		return parse(data)
	}
	hidden := ""
	if err := visible.Line(pathOrPEM); err != nil {
		hidden = "; its " + err.Error()
	}
	var failure *os.PathError
	if errors.As(err, &failure) {
		return none, fmt.Errorf("neither PEM text nor a readable file: %w%s", failure.Err, hidden)
	}
	return none, errors.New("neither PEM text nor a readable file")
}
