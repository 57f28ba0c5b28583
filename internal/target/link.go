package target

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Gateway is where a client sends its requests.
type Gateway struct {
	Base    *url.URL
	Backups []string // hosts
}

// Link checks a given address, such as a download_url, and that a request for it may go to the
// gateway: a signed request is not sent elsewhere. It returns the URL of the request, and the path
// unchanged from the address. The host is not signed, so a link to the platform goes through a
// gateway that is not one of the platform's hosts, if it is an https one. A sandbox on this machine
// is not a way to the platform.
func (g Gateway) Link(address string) (u *url.URL, path string, err error) {
	u, target, err := splitLink(address)
	switch {
	case err != nil:
		return nil, "", err
	case g.serves(u):
	case u.Scheme == "https" && g.Base.Scheme == "https" && fact.IsPlatformHost(u.Host):
		u.Host = g.Base.Host
	default:
		return nil, "", fmt.Errorf("the address leads to %s, which is not this client's gateway (%s): a signed request is not sent there",
			redact.Quote(u.Scheme+"://"+u.Host), g.Base)
	}
	path, _, _ = strings.Cut(target, "?")
	if u.RequestURI() != target { // net/url would write it differently
		u.Opaque = path
	}
	return u, path, nil
}

// serves reports whether the host of u is one of the gateway's, or of the platform's if the gateway
// is the platform.
func (g Gateway) serves(u *url.URL) bool {
	if u.Scheme != g.Base.Scheme {
		return false
	}
	return u.Host == g.Base.Host || slices.Contains(g.Backups, u.Host) ||
		fact.IsPlatformHost(g.Base.Host) && fact.IsPlatformHost(u.Host)
}

// Unencrypted returns the hosts of a gateway that are reached over a network by plain http, less those
// that are permitted, each as HOST or HOST:PORT.
func (g Gateway) Unencrypted(permitted []string) (hosts []string) {
	if g.Base.Scheme != "http" {
		return nil
	}
	for _, host := range append([]string{g.Base.Host}, g.Backups...) {
		name := (&url.URL{Host: host}).Hostname()
		if !Loopback(name) && !slices.Contains(permitted, host) && !slices.Contains(permitted, name) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// splitLink checks that an address has the plain form of a link, and returns its target for the
// request line, unchanged. It rejects an address that two readers might take for different hosts or
// paths: a user, a fragment, a backslash, a second slash at the beginning, dots that lead up. The
// error does not show the address, which holds a token.
func splitLink(address string) (u *url.URL, target string, err error) {
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

// notInLinks reports a character that no request line has, or that readers take in two ways.
func notInLinks(r rune) bool { return r <= ' ' || r > '~' || r == '#' || r == '\\' }
