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

// BaseURL checks the address of a gateway: scheme and host alone, since a path would be signed and
// not served.
func BaseURL(text string) (*url.URL, error) {
	if strings.Contains(text, "@") { // and not what stands there
		return nil, errors.New("base URL names a user, and the platform knows none: take out what stands before the @")
	}
	if err := visible.Word(text); err != nil {
		return nil, fmt.Errorf("base URL %s: %w", redact.Quote(text), err)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("base URL %s is not of the form https://host", redact.Quote(text))
	case strings.TrimSuffix(text[len(u.Scheme):], "/") != "://"+u.Host:
		return nil, fmt.Errorf("base URL %s has more than scheme and host: the path belongs into Chain", redact.Quote(text))
	case strings.HasSuffix(u.Host, ":"):
		return nil, fmt.Errorf("base URL %s has a colon and no port", redact.Quote(text))
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		return nil, fmt.Errorf("base URL %s is not encrypted: http is accepted for this machine only", redact.Quote(text))
	}
	return &url.URL{Scheme: u.Scheme, Host: plainHost(u)}, nil
}

// SplitLink checks that an address has the plain form of a link, and returns its target, which goes
// onto the request line unchanged. It rejects an address that two readers might read differently,
// one of them as another host or path: a user, a fragment, a backslash, a second slash at the
// beginning, dots that lead up. The error does not show the address, which holds a token.
func SplitLink(address string) (u *url.URL, target string, err error) {
	_, rest, _ := strings.Cut(address, "://")
	slash := strings.IndexByte(rest, '/')
	u, err = url.Parse(address)
	switch {
	case err != nil || slash <= 0 || u.Host != rest[:slash] || u.Opaque != "" || u.User != nil || strings.ContainsFunc(address, notInLinks):
		return nil, "", errors.New("the address is not of the form https://host/path?query")
	case strings.HasPrefix(u.Path, "//"):
		return nil, "", errors.New("the path of the address begins with two slashes, which some read as another host")
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return nil, "", errors.New("the path of the address has a segment of dots, which would change it")
		}
	}
	u.Host = plainHost(u)
	return u, rest[slash:], nil
}

// notInLinks reports a character that no request line has, or that is read in two ways.
func notInLinks(r rune) bool { return r <= ' ' || r > '~' || r == '#' || r == '\\' }

// plainHost is the host as links are compared by it: without the port that the scheme has anyway,
// and in lower case.
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
