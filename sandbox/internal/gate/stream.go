package gate

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"io"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// linkLife is how long a download_url lives. Current pages say 5 minutes, others that are still online 30 seconds.
const linkLife = 30 * time.Second

// maxLinks bounds how many links live at a time, for a clock that stands still. The oldest give way.
const maxLinks = 10_000

// Stream is the response of a download.
type Stream struct {
	Content  string // Content-Type
	Encoding string // Content-Encoding; empty for none
	Body     io.Reader
	Size     int64 // -1 where it is not known before the body is made
	// SHA1 is that of an overseas statement, in lower-case hex: it goes into a header and is signed there. The others are
	// not signed.
	SHA1 string
}

// FileOf is a small file of a kind.
func FileOf(content string, body []byte) *Stream {
	return &Stream{Content: content, Body: bytes.NewReader(body), Size: int64(len(body))}
}

// links are what can be downloaded. They are kept in memory, and belong to no snapshot: a link lives for seconds.
type links struct {
	mu      sync.Mutex
	byToken map[string]*target
	order   []string // tokens, the oldest first
}

// target is where a download_url leads.
type target struct {
	path     string
	merchant string // who may follow it
	made     time.Time
	open     func() *Stream
}

func (t *target) alive(now time.Time) bool { return now.Sub(t.made) <= linkLife }

// DownloadURL makes a link to a file and returns its address, on the host that was asked. query follows the token.
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
