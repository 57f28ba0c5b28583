package apiv3

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
)

// SignRequest signs a request and returns the value of its Authorization header, and the length in
// bytes of the signed message. The platform names its own length when a signature does not match.
// caller contains ID, Serial, Nonce and Timestamp: non-empty printable ASCII without blanks and
// quotes, else the error is ErrAuthorization. method, target and body are as in
// [AppendRequestMessage].
func SignRequest(scheme Scheme, key crypto.Signer, caller Authorization, method, target string, body []byte) (header string, size int, err error) {
	for _, member := range [...]string{caller.ID, caller.Serial, caller.Nonce, caller.Timestamp} {
		if member == "" || !validText(member) || strings.IndexByte(member, ' ') >= 0 {
			return "", 0, fmt.Errorf("%w: number, serial, nonce and timestamp must be printable ASCII without "+
				"blanks and quotes, and not empty", ErrAuthorization)
		}
	}
	buf := getBuffer()
	defer putBuffer(buf)
	message := AppendRequestMessage((*buf)[:0], method, target, caller.Timestamp, caller.Nonce, body)
	*buf, size = message, len(message)
	signature, err := scheme.Sign(key, message)
	if err != nil {
		return "", 0, err
	}
	caller.Scheme, caller.Identity = scheme.Name(), scheme.Identity()
	// the header follows the message in the same buffer; its last part is the signature in base64
	out := caller.appendUnsigned(message)
	out = base64.StdEncoding.AppendEncode(out, signature)
	out = append(out, '"')
	*buf = out
	return string(out[size:]), size, nil
}

// buffers holds scratch space for messages and headers, so that a call allocates none.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// maxKept is the largest capacity in bytes of a buffer that goes back: a huge body must not stay in
// memory.
const maxKept = 64 << 10

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(buf *[]byte) {
	if cap(*buf) <= maxKept {
		buffers.Put(buf)
	}
}
