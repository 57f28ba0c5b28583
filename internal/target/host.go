package target

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// BaseURL checks the address of a gateway: only scheme and host, since a path would be signed and
// not served.
func BaseURL(text string) (*url.URL, error) {
	if strings.Contains(text, "@") { // without the text of the address
		return nil, errors.New("base URL names a user, but the platform has none: remove the part before the @")
	}
	if err := visible.Word(text); err != nil {
		return nil, fmt.Errorf("base URL %s: %w", redact.Quote(text), err)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("base URL %s is not of the form https://host", redact.Quote(text))
	case strings.TrimSuffix(text[len(u.Scheme):], "/") != "://"+u.Host:
		return nil, fmt.Errorf("base URL %s has more than scheme and host: the path belongs in Chain", redact.Quote(text))
	case strings.HasSuffix(u.Host, ":"):
		return nil, fmt.Errorf("base URL %s has a colon and no port", redact.Quote(text))
	}
	return &url.URL{Scheme: u.Scheme, Host: plainHost(u)}, nil
}

// plainHost returns the host for comparing links: in lower case and without the default port of the
// scheme.
func plainHost(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return host
}

// Loopback reports whether host is this machine.
func Loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
