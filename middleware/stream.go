package middleware

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
)

// stream returns a successful response unread. If the signature covers a digest, it verifies the
// signature first, and the reader ends in ErrDigest instead of io.EOF if the content differs. Every
// reader ends in ErrResponseTruncated if the content is shorter than the header says.
func (v *VerifyConfig) stream(ctx context.Context, call *Call, res *http.Response, signed fact.Signature, digest string) (*http.Response, error) {
	reject := func(err error) (*http.Response, error) {
		_ = res.Body.Close()
		return nil, unverified(res, nil, err)
	}
	body := &checkedBody{ctx: ctx, ReadCloser: res.Body, left: res.ContentLength}
	coding := res.Header.Get("Content-Encoding")
	switch coded := coding != "" && !strings.EqualFold(coding, "identity"); {
	case signed == fact.OverDigest:
		if coded {
			return reject(responseCoded(coding))
		}
		if err := v.verifySignature(ctx, res.Header, apiv3.StatementMessageBody(digest)); err != nil {
			return reject(err)
		}
		call.Verified = true
		body.sum, body.want = sha1.New(), digest
	case coded && !strings.EqualFold(coding, "gzip"): // a compressed file may say so; its reader expands it
		return reject(responseCoded(coding))
	}
	res.Body = body
	return res, nil
}

// checkedBody is a stream that checks its length and digest.
type checkedBody struct {
	io.ReadCloser
	ctx  context.Context // of the attempt
	left int64           // bytes that must come, negative if unknown
	sum  hash.Hash
	want string // hex digest of sum, which may be nil
}

func (b *checkedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.sum != nil {
		b.sum.Write(p[:n])
	}
	known := b.left >= 0
	if known {
		if b.left -= int64(n); b.left < 0 {
			return n, fmt.Errorf("%w: it goes on after its Content-Length", ErrResponseTruncated)
		}
	}
	switch {
	case err == io.ErrUnexpectedEOF, err == io.EOF && known && b.left > 0:
		return n, truncated(b.ctx, err)
	case err == io.EOF && b.sum != nil && !strings.EqualFold(b.want, hex.EncodeToString(b.sum.Sum(nil))):
		return n, ErrDigest
	}
	return n, fault.Outside(err)
}
