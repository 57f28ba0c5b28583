package target

import (
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

// Link checks a ready-made address, such as a download_url, and that a request for it may go to the
// gateway: a signed request is not sent elsewhere. It returns the URL to send the request to, and
// the path as it stands in the address. The host is not signed, so a link to the platform takes the
// way through a gateway that is none of the platform's hosts, if that is an https one: a sandbox on
// this machine is no way to the platform.
func (g Gateway) Link(address string) (u *url.URL, path string, err error) {
	u, target, err := SplitLink(address)
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
	if u.RequestURI() != target { // net/url would write it in another way
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
