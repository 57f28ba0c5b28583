//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
)

// What a link of no known family leads to has to be signed, unless a digest vouches for it; and a signature has to be right.
func TestFetchOfUnknownFamily(t *testing.T) {
	const link = "https://api.mch.weixin.qq.com/v3/new-thing/proof?token=oSECRET"
	var out bytes.Buffer
	fetch := func(a answer, options ...wxpay.DownloadOption) (*wxpay.DownloadResult, error) {
		out.Reset()
		return newClient(t, wxpay.WithTransport(a), wxpay.WithAttempts(1)).Fetch(context.Background(), link, &out, options...)
	}
	digest := wxpay.Digest("SHA1", hexSHA1([]byte("x")))
	for name, tt := range map[string]struct {
		answer  answer
		options []wxpay.DownloadOption
		is      error // nil: it is taken, and verified
		says    string
	}{
		"unsigned":              {file([]byte("x")), nil, apiv3.ErrUnsigned, "pass the Digest that came with the link"},
		"a digest":              {file([]byte("x")), []wxpay.DownloadOption{digest}, nil, ""},
		"another digest":        {file([]byte("y")), []wxpay.DownloadOption{digest}, wxpay.ErrDigest, "its SHA1 is"},
		"signed":                {answer{body: "x"}, nil, nil, ""},
		"signed and a digest":   {answer{body: "x"}, []wxpay.DownloadOption{digest}, nil, ""},
		"signed wrongly":        {answer{body: "x", key: testKeys().other}, nil, apiv3.ErrSignature, "cannot be trusted"},
		"a digest of what lies": {answer{body: "x", key: testKeys().other}, []wxpay.DownloadOption{digest}, apiv3.ErrSignature, "cannot be trusted"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := fetch(tt.answer, tt.options...)
			if tt.is == nil {
				require.NoError(t, err)
				assert.True(t, got.Verified)
				assert.Equal(t, "x", out.String())
				return
			}
			require.ErrorIs(t, err, tt.is)
			assert.ErrorContains(t, err, "wxpay: GET (link): ")
			assert.ErrorContains(t, err, tt.says)
			assert.NotContains(t, err.Error(), "new-thing")
			assert.NotContains(t, err.Error(), "SECRET")
			if tt.is != wxpay.ErrDigest {
				assert.Empty(t, out.String())
			}
		})
	}
}

// Fapiao files are unsigned in both directions, with a catalogue and without.
func TestFapiaoIsBare(t *testing.T) {
	for _, link := range []string{
		"https://api.mch.weixin.qq.com/v3/new-tax-control-fapiao/download?token=a",
		"https://pay.wechatpay.cn/invoicing/fapiao/fapiao-file?token=a",
	} {
		for _, options := range [][]wxpay.Option{nil, {wxpay.WithCatalog(nil)}} {
			gateway := file([]byte("%PDF"))
			gateway.trip = func(req *http.Request) { assert.Empty(t, req.Header.Get("Authorization")) }
			var out bytes.Buffer
			_, err := newClient(t, append(options, wxpay.WithTransport(gateway))...).Fetch(context.Background(), link, &out)
			require.NoError(t, err)
			assert.Equal(t, "%PDF", out.String())
		}
	}
}

// The id of a complaint's image comes percent-encoded, and is not encoded once more.
func TestComplaintImage(t *testing.T) {
	image := []byte("\x89PNG\r\n")
	const id = "ChsyMDAyMDAwMDA%2FQyMDA%3D"
	gateway := file(image)
	gateway.trip = func(req *http.Request) {
		requireSigned(t, req, "/v3/merchant-service/images/"+id, "")
		assert.Equal(t, "/v3/merchant-service/images/"+id, req.URL.RequestURI())
	}
	client := newClient(t, wxpay.WithTransport(gateway))
	var out bytes.Buffer
	got, err := client.Chain("v3/merchant-service/images/{media_id}").RawVar("media_id", id).Download(context.Background(), &out)
	require.NoError(t, err)
	assert.Equal(t, image, out.Bytes())
	assert.False(t, got.Verified)
	_, err = client.Fetch(context.Background(), "https://api.mch.weixin.qq.com/v3/merchant-service/images/"+id, io.Discard)
	require.NoError(t, err)
}

// Any other answer is verified before its first byte is handed out.
func TestDownloadOfSignedAnswer(t *testing.T) {
	var out bytes.Buffer
	chain := newClient(t, wxpay.WithTransport(answer{body: `{"a":1}`})).Chain("v3/x")
	got, err := chain.Download(context.Background(), &out)
	require.NoError(t, err)
	assert.True(t, got.Verified)
	assert.Equal(t, `{"a":1}`, out.String())
	out.Reset()
	_, err = newClient(t, wxpay.WithAttempts(1), wxpay.WithTransport(answer{body: `{"a":1}`, unsigned: true})).Chain("v3/x").Download(context.Background(), &out)
	require.ErrorIs(t, err, apiv3.ErrUnsigned)
	assert.Zero(t, out.Len())
}

// statement is an overseas statement, signed through its digest.
func statement(content []byte) answer {
	digest := hexSHA1(content)
	a := answer{unsigned: true, body: string(content), header: http.Header{"Wechatpay-Statement-Sha1": {digest}, "Content-Type": {"text/plain"}}}
	a.bend = func(res *http.Response) { answer{}.sign(res.Header, `{"sha1":"`+digest+`"}`) }
	return a
}

// A statement's signature covers a digest in the header: it is verified before the first byte, and the content by the last.
func TestStatement(t *testing.T) {
	content := randomText(300_000)
	changed := statement(content)
	changed.body = "x" + changed.body[1:]
	forged := statement(content)
	forged.bend = func(res *http.Response) {
		answer{key: testKeys().other}.sign(res.Header, `{"sha1":"`+hexSHA1(content)+`"}`)
	}
	bare := file(content)
	compressed := statement(content)
	compressed.header.Set("Content-Encoding", "gzip")
	for name, tt := range map[string]struct {
		answer answer
		is     error
		out    int
	}{
		"good":                 {statement(content), nil, len(content)},
		"changed":              {changed, wxpay.ErrDigest, len(content)},
		"signed by another":    {forged, apiv3.ErrSignature, 0},
		"without digest":       {bare, apiv3.ErrUnsigned, 0},
		"compressed, unasked":  {compressed, nil, -1},
		"ordinarily signed":    {answer{body: string(content)}, nil, len(content)},
		"larger than a limit?": {statement(randomText(2 << 20)), nil, 2 << 20},
	} {
		for _, path := range []string{"v3/global/statements", "hk/v3/statements"} {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				got, err := newClient(t, wxpay.WithTransport(tt.answer), wxpay.WithMaxResponse(1<<20)).Chain(path).Query("date", "20250101").
					Download(context.Background(), &out)
				switch {
				case tt.out < 0:
					require.ErrorContains(t, err, "compressed, which the request did not ask for", name)
				case tt.is == nil:
					require.NoError(t, err, name)
					assert.True(t, got.Verified)
					assert.Equal(t, tt.out, out.Len())
				default:
					require.ErrorIs(t, err, tt.is, name)
					assert.Equal(t, tt.out, out.Len(), name)
				}
			})
		}
	}
}
