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

// stream hands up a successful answer unread. What its header can prove is verified before: for an answer that is signed
// through a digest that is the signature, and its reader ends in ErrDigest instead of io.EOF when the content is another.
// Every reader ends in ErrResponseTruncated when there is less than the header announced.
func (v *VerifyConfig) stream(ctx context.Context, call *Call, res *http.Response, signed fact.Signature, digest string) (*http.Response, error) {
	refuse := func(err error) (*http.Response, error) {
		_ = res.Body.Close()
		return nil, unverified(res, nil, err)
	}
	body := &checkedBody{ctx: ctx, ReadCloser: res.Body, left: res.ContentLength}
	coding := res.Header.Get("Content-Encoding")
	switch coded := coding != "" && !strings.EqualFold(coding, "identity"); {
	case signed == fact.OverDigest:
		if coded {
			return refuse(answerCoded(coding))
		}
		if err := v.verifySignature(ctx, res.Header, apiv3.StatementMessageBody(digest)); err != nil {
			return refuse(err)
		}
		call.Verified = true
		body.sum, body.want = sha1.New(), digest
	case coded && !strings.EqualFold(coding, "gzip"): // a compressed file may say so, and whoever reads it expands it
		return refuse(answerCoded(coding))
	}
	res.Body = body
	return res, nil
}

// checkedBody is a stream that checks what it passes on.
type checkedBody struct {
	io.ReadCloser
	ctx  context.Context // of the attempt
	left int64           // bytes that must come, negative if nobody knows
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
