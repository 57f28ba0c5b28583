package wxpay_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// vectorClient signs as the test vectors do: their merchant, key, clock and nonce.
func vectorClient(t testing.TB, rt http.RoundTripper, at time.Time, nonce string) *wxpay.Client {
	t.Helper()
	p := vectors.Load(t).Parameters
	client, err := wxpay.New(
		wxpay.Merchant{ID: p.MchID, Serial: p.MerchantSerial, PrivateKey: vectors.Key(t, "merchant"), APIv3Key: p.APIv3Key},
		wxpay.WithPublicKey(p.PublicKeyID, vectors.PublicKey(t, "keys/wechatpay_pub_key.pem")),
		wxpay.WithPlatformCertificates(vectors.Certificate(t, "platform_a"), vectors.Certificate(t, "platform_b"), vectors.Certificate(t, "platform_expired")),
		wxpay.WithClock(func() time.Time { return at }), wxpay.WithNonce(func() string { return nonce }), wxpay.WithTransport(rt),
		wxpay.WithBaseURL(wxpay.DefaultBaseURL), wxpay.WithAttempts(1)) // one host and one request, since the bytes are the matter
	require.NoError(t, err)
	return client
}

// Every request vector that a chain can make comes out with the same Authorization, byte for byte.
func TestRequestVectors(t *testing.T) {
	set := vectors.Load(t)
	tried := 0
	for _, v := range set.Vectors {
		if v.Kind != "request-sign" || v.SentBodyFile != "" {
			continue
		}
		tried++
		t.Run(v.ID, func(t *testing.T) {
			path, query, _ := strings.Cut(v.Target, "?")
			// The path's segments travel as they stand in the vector, so those that are encoded go through RawVar.
			segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
			client := vectorClient(t, answer{}, set.Parameters.Now(), v.Nonce)
			chain := client.Chain(segments[0])
			for i, segment := range segments[1:] {
				if name := "v" + string(rune('a'+i)); strings.Contains(segment, "%") {
					chain = chain.Chain("{"+name+"}").RawVar(name, segment)
				} else {
					chain = chain.Chain(segment)
				}
			}
			for pair := range strings.SplitSeq(query, "&") {
				if name, value, ok := strings.Cut(pair, "="); ok {
					plain := regexp.MustCompile("%[0-9A-F]{2}").ReplaceAllStringFunc(value, func(hex string) string { return unhex(t, hex) })
					chain = chain.Query(name, plain)
				}
			}
			var body any
			if v.SignedBody != "" {
				body = v.SignedBody
			}
			req, err := chain.Request(context.Background(), v.Method, body)
			require.NoError(t, err)
			require.Equal(t, v.Target, req.URL.RequestURI())
			got, err := apiv3.ParseAuthorization(req.Header.Get("Authorization"))
			require.NoError(t, err)
			assert.Equal(t, v.Signature, got.Signature)
			assert.Equal(t, v.Nonce, got.Nonce)
			assert.Equal(t, set.Parameters.MerchantSerial, got.Serial)
		})
	}
	require.Equal(t, 12, tried, "request vectors that a chain can make")
}

func unhex(t *testing.T, escape string) string {
	t.Helper()
	var c byte
	for _, digit := range []byte(escape[1:]) {
		c = c<<4 + byte(strings.IndexByte("0123456789ABCDEF", digit))
	}
	return string([]byte{c})
}

// Every answer vector goes through the whole client: the valid ones come out verified, the others do not come out.
func TestAnswerVectors(t *testing.T) {
	set := vectors.Load(t)
	tried := 0
	for _, v := range set.Vectors {
		if v.Kind != "response-verify" {
			continue
		}
		tried++
		t.Run(v.ID, func(t *testing.T) {
			body := v.Body
			if v.BodyFile != "" {
				body = string(vectors.File(t, v.BodyFile))
			}
			bent := answer{status: v.Status, body: body, unsigned: true, bend: func(res *http.Response) {
				res.Header = http.Header{}
				for name, value := range v.Headers {
					res.Header.Set(name, value)
				}
			}}
			if bent.status == 0 {
				bent.status = 200
			}
			client := vectorClient(t, bent, v.Now(set.Parameters), "n")
			chain := client.Chain("v3/x")
			if v.Headers[apiv3.HeaderStatementSHA1] != "" || v.Headers["Wechatpay-Statement-SHA1"] != "" {
				chain = client.Chain("v3/global/statements")
			}
			res, err := chain.Get(context.Background())
			var refusal *wxpay.APIError
			switch {
			case !v.Valid():
				require.ErrorIs(t, err, wxpay.StageVerify, v.Reason)
				require.Nil(t, res)
			case bent.status >= 300:
				require.ErrorAs(t, err, &refusal)
				assert.True(t, refusal.Verified)
			default:
				require.NoError(t, err)
				assert.True(t, res.Verified)
				assert.Equal(t, body, string(res.Raw()))
			}
		})
	}
	require.Equal(t, 13, tried, "answer vectors")
}

var agent = regexp.MustCompile(`wxpay-go/\S+ \([^)]*\)`)

// The golden files show what every verb puts on the wire under a fixed clock, nonce and key.
func TestGoldenWire(t *testing.T) {
	ctx := context.Background()
	var wire bytes.Buffer
	client := vectorClient(t, answer{fail: func(req *http.Request) error {
		again, err := req.GetBody, error(nil)
		if again != nil {
			req.Body, err = again()
			require.NoError(t, err)
		}
		require.NoError(t, req.Write(&wire))
		return io.EOF
	}}, vectors.Load(t).Parameters.Now(), "593BEC0C930BF1AFEB40B4A08C8FB242")
	order := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").Var("out_trade_no", "ABC|001*张")
	for name, call := range map[string]func() error{
		"get":  func() error { _, err := order.Query("mchid", "1900000109").Get(ctx); return err },
		"post": func() error { _, err := client.Chain(feedsPath).Post(ctx, feed()); return err },
		"post-at": func() error {
			_, err := client.At("v3", "brand", "partner", "cardMember", "userFeeds").Post(ctx, feed())
			return err
		},
		"post-async": func() error { _, err := client.Chain(feedsPath).PostAsync(ctx, feed()).Wait(ctx); return err },
		"post-empty": func() error { _, err := order.Chain("close").Post(ctx, nil); return err },
		"put": func() error {
			_, err := client.Chain("v3/x").Header("X-Trace", "1").Put(ctx, `{"a": "<&>"}`+"\n")
			return err
		},
		"patch":       func() error { _, err := client.Chain("v3/x").Patch(ctx, wxpay.JSON{"note": "张三 <&>"}); return err },
		"delete":      func() error { _, err := client.Chain("v3/x").Delete(ctx); return err },
		"delete-body": func() error { _, err := client.Chain("v3/x").Do(ctx, "DELETE", wxpay.JSON{}); return err },
		"trailing-path": func() error {
			_, err := client.Chain("v3/applyment4sub/applyment/").Post(ctx, wxpay.JSON{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			wire.Reset()
			require.ErrorIs(t, call(), io.EOF)
			got := agent.ReplaceAllString(wire.String(), "wxpay-go/VERSION")
			got = strings.ReplaceAll(got, "\r\n", "\n")
			file := filepath.Join("testdata", "golden", name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err, "go test -run TestGoldenWire -update . writes it")
			assert.Equal(t, string(want), got)
		})
	}
	// The three ways of writing the call are the same call.
	if !*update {
		post, err := os.ReadFile("testdata/golden/post.txt")
		require.NoError(t, err)
		for _, other := range []string{"post-at", "post-async"} {
			same, err := os.ReadFile("testdata/golden/" + other + ".txt")
			require.NoError(t, err)
			assert.Equal(t, string(post), string(same))
		}
	}
}
