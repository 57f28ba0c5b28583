package gate

import (
	"crypto/rand"
	"encoding/base64"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// DownloadURL makes a link to a file and returns its address, on the host that was asked. query
// follows the token.
func (c *Call) DownloadURL(path, query string, open func() *Stream) string {
	token := base64.RawURLEncoding.EncodeToString([]byte(rand.Text() + rand.Text()))
	l := &c.links
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.order) > 0 && (len(l.order) >= maxLinks || !l.byToken[l.order[0]].alive(c.Now)) {
		delete(l.byToken, l.order[0])
		l.order = l.order[1:]
	}
	if l.byToken == nil {
		l.byToken = make(map[string]*target)
	}
	l.byToken[token] = &target{path: path, merchant: c.ID, made: c.Now, open: open}
	l.order = append(l.order, token)
	if query != "" {
		query = "&" + query
	}
	return c.Base() + path + "?token=" + token + query
}

// Download responds with the file to which the link of the request leads.
func (c *Call) Download() (any, *say.Rejection) {
	l := &c.links
	l.mu.Lock()
	found := l.byToken[c.Query.Get("token")]
	l.mu.Unlock()
	switch {
	case found == nil, found.path != c.Operation.Path:
		return nil, say.InvalidRequest(say.Both("下载链接无效", "the download link is not valid"), "no link of this path has this token, or it has gone: apply for the file again")
	case !found.alive(c.Now):
		return nil, say.InvalidRequest(say.Both("下载链接已过期", "the download link has expired"), "the link is older than "+linkLife.String()+": apply for the file again")
	case c.Verified && found.merchant != c.ID:
		return nil, say.Forbidden("NO_AUTH", say.Both("账单属于其他商户", "the file belongs to another merchant"), "the link was given to "+found.merchant)
	}
	return found.open(), nil
}

// Base is the URL under which the caller reached the sandbox.
func (c *Call) Base() string {
	scheme := "http"
	if c.Request.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.Request.Host
}
