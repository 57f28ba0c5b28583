package wxpay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/middleware"
)

// Fetch downloads from a ready-made address, such as a download_url, as the platform's answer gives it: path and query
// travel, and are signed, untouched. The address has to name a host of this client's gateway (or another of the platform's,
// if the gateway is the platform): a request that is signed for one is not sent elsewhere. A link to the platform takes the way
// through the gateway that [WithBaseURL] names. Links live for half a minute, so
// fetch at once, with the client that got the link.
//
// What the documented links lead to is not signed ([middleware.UnsignedResponses]). [Digest] checks it against the digest that
// came with the link:
//
//	got, err := client.Fetch(ctx, url, wxpay.ToFile("receipt.pdf"), wxpay.Digest("SHA256", hex))
//
// An answer of any other path has to be signed, unless there is a Digest to check it.
//
// Everything else is as for [Chain.Download]. [Chain.Bill] and [Chain.Receipt] get the link too.
func (c *Client) Fetch(ctx context.Context, address string, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	f, err := c.link(ctx, address)
	if err != nil {
		return nil, err
	}
	return f.download(ctx, w, options)
}

// link makes the flight to a ready-made address.
func (c *Client) link(ctx context.Context, address string) (*flight, error) {
	f := &flight{client: c, linked: true}
	f.Method, f.Template = http.MethodGet, "(link)"
	u, line, err := target.SplitLink(address)
	switch {
	case ctx == nil:
		err = errors.New("the context is nil: pass context.Background() if there is none")
	case err != nil:
	case c.behindProxy(u):
		u.Host = c.base.Host
	case !c.serves(u):
		err = fmt.Errorf("the address leads to %s, which is not this client's gateway (%s): a signed request is not sent there", redact.Quote(u.Scheme+"://"+u.Host), c.base)
	}
	if err != nil {
		return nil, f.error(StageBuild, NotSent, err)
	}
	path, _, _ := strings.Cut(line, "?")
	if u.RequestURI() != line { // net/url would write it in another way
		u.Opaque = path
	}
	f.url, f.Host = *u, u.Host
	f.Stream = true
	f.Limits = c.limits
	// Where nothing is known of a link, nothing of it is shown: any part of it may identify something.
	if family := middleware.FamilyOf(f.Method, path); family != nil {
		f.Template = family.Path
	}
	if facts := c.facts(); facts != nil {
		if operation, ok := facts.Lookup(f.Method, path); ok {
			f.Operation, f.Template = operation, operation.Path
		}
	}
	f.plan = c.plans.Of(f.Operation)
	return f, nil
}

// serves reports whether requests of this client may go to the host of u.
func (c *Client) serves(u *url.URL) bool {
	if u.Scheme != c.base.Scheme {
		return false
	}
	return u.Host == c.base.Host || slices.Contains(c.backups, u.Host) ||
		fact.IsPlatformHost(c.base.Host) && fact.IsPlatformHost(u.Host)
}

// behindProxy reports whether u leads to the platform, and the client reaches that through a gateway of its owner's (an https
// one: a sandbox on this machine is no way to the platform). The host is not signed, so the link goes that way too.
func (c *Client) behindProxy(u *url.URL) bool {
	return u.Scheme == "https" && c.base.Scheme == "https" && fact.IsPlatformHost(u.Host) && !c.serves(u)
}
