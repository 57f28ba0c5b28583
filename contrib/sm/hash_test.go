package sm_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/sm"
	"github.com/wxpay-go/wxpay/sandbox"
)

// From GB/T 32905, appendix A.
const abcSM3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"

func TestNewSM3(t *testing.T) {
	h := sm.NewSM3()
	_, _ = h.Write([]byte("abc"))
	assert.Equal(t, abcSM3, hex.EncodeToString(h.Sum(nil)))
}

// tap passes requests on and keeps their meta.
type tap struct {
	http.RoundTripper
	meta string
}

func (p *tap) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(raw))
		_, parameters, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
		part, err := multipart.NewReader(bytes.NewReader(raw), parameters["boundary"]).NextPart()
		if err != nil {
			return nil, err
		}
		meta, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		p.meta = string(meta)
	}
	return p.RoundTripper.RoundTrip(req)
}

// The two uploads that want SM3, and a receipt that has it, of a merchant who uses RSA.
func TestFilesWithSM3(t *testing.T) {
	gateway, err := sandbox.New()
	require.NoError(t, err)
	way := &tap{RoundTripper: gateway.Transport()}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(way), wxpay.WithPreflight(wxpay.PreflightStrict))
	require.NoError(t, err)
	file := wxpay.FileFrom("a.pdf", strings.NewReader("abc"), 3).Hash(sm.NewSM3)
	for path, file := range map[string]wxpay.File{
		"v3/new-tax-control-fapiao/fapiao-applications/upload-fapiao-file": file.Meta("file_type", "PDF").Meta("digest_alogrithm", "SM3"),
		"v3/taxi-invoice/cards/upload-file": file.Meta("company_mchid", "1900000109").Meta("region_id", 440300).
			Meta("digest_algorithm", "DIGEST_ALGORITHM_SM3"),
	} {
		_, err := client.Chain(path).Upload(context.Background(), file)
		require.NoError(t, err, path)
		assert.Contains(t, way.meta, `"digest":"`+abcSM3+`"`)
	}

	way.RoundTripper = pdf("abc")
	const link = "https://api.mch.weixin.qq.com/v3/transferdownload/signfile?token=a"
	client, err = wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(way), wxpay.WithBaseURL(wxpay.DefaultBaseURL), wxpay.WithAttempts(1))
	require.NoError(t, err)
	got, err := client.Fetch(context.Background(), link, io.Discard, wxpay.Digest("SM3", abcSM3), wxpay.DigestAlgorithm("SM3", sm.NewSM3))
	require.NoError(t, err)
	assert.True(t, got.Verified)
	_, err = client.Fetch(context.Background(), link, io.Discard, wxpay.Digest("SM3", strings.Repeat("0", 64)), wxpay.DigestAlgorithm("SM3", sm.NewSM3))
	require.ErrorIs(t, err, wxpay.ErrDigest)
}

// pdf answers with a file.
type pdf string

func (p pdf) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: http.Header{"Content-Type": {"application/pdf"}},
		Body: io.NopCloser(strings.NewReader(string(p))), ContentLength: int64(len(p)),
	}, nil
}
