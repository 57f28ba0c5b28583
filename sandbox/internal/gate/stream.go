package gate

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// linkLife is how long a download_url lives. Current pages say 5 minutes, others that are still
// online 30 seconds.
const linkLife = 30 * time.Second

// maxLinks bounds how many links live at a time, for a clock that stands still. The oldest give
// way.
const maxLinks = 10_000

// Stream is the response of a download.
type Stream struct {
	Content  string // Content-Type
	Encoding string // Content-Encoding; empty for none
	Body     io.Reader
	Size     int64 // -1 where it is not known before the body is made
	// SHA1 is that of an overseas statement, in lower-case hex: it goes into a header and is signed
	// there. The others are not signed.
	SHA1 string
}

// FileOf is a small file of a kind.
func FileOf(content string, body []byte) *Stream {
	return &Stream{Content: content, Body: bytes.NewReader(body), Size: int64(len(body))}
}

// links are what can be downloaded. They are kept in memory, and belong to no snapshot: a link
// lives for seconds.
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
