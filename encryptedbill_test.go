//go:build go1.25

package wxpay_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
)

// part is one part of an encrypted bill as a gateway hands it out.
type part struct {
	Sequence   int    `json:"bill_sequence"`
	HashType   string `json:"hash_type,omitempty"`
	HashValue  string `json:"hash_value,omitempty"`
	URL        string `json:"download_url"`
	EncryptKey string `json:"encrypt_key"`
	Nonce      string `json:"nonce"`

	token string
	file  []byte // encrypted
	gone  bool   // the link is too old
}

// sealedPart encrypts content for the merchant. hashed is what the digest covers.
func sealedPart(t *testing.T, sequence int, token string, content []byte, hashed func(plain, sealed []byte) []byte) part {
	key, nonce := make([]byte, 32), rand.Text()[:16]
	_, _ = rand.Read(key)
	sealed, err := apiv3.SealAESGCM(key, []byte(nonce), nil, content)
	require.NoError(t, err)
	sealedKey, err := apiv3.RSA().Encrypt(testKeys().merchant.Public(), key)
	require.NoError(t, err)
	p := part{Sequence: sequence, Nonce: nonce, EncryptKey: base64.StdEncoding.EncodeToString(sealedKey), token: token, file: sealed,
		URL: "https://api.mch.weixin.qq.com/v3/bill/downloadurl?token=" + token}
	if hashed != nil {
		p.HashType, p.HashValue = "SHA1", hexSHA1(hashed(content, sealed))
	}
	return p
}

// sealedGateway answers each application with the next list of parts, the last again and again, and serves all of them.
type sealedGateway struct {
	lists [][]part
	past  []part // of the lists before
	mu    sync.Mutex
	seen  []string
}

func (g *sealedGateway) RoundTrip(req *http.Request) (*http.Response, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	token := req.URL.Query().Get("token")
	if token == "" {
		g.seen = append(g.seen, "apply")
		list := g.lists[0]
		if g.past = append(g.past, list...); len(g.lists) > 1 {
			g.lists = g.lists[1:]
		}
		text, err := json.Marshal(map[string]any{"download_bill_count": len(list), "download_bill_list": list})
		if err != nil {
			return nil, err
		}
		return answer{body: string(text)}.RoundTrip(req)
	}
	g.seen = append(g.seen, token)
	for _, p := range g.past {
		switch {
		case p.token == token && p.gone:
			return billError(400, "INVALID_REQUEST").RoundTrip(req)
		case p.token == token:
			return file(p.file).RoundTrip(req)
		}
	}
	return nil, fmt.Errorf("no such token")
}

func sealedChain(client *wxpay.Client) wxpay.Chain {
	return client.Chain("v3/bill/sub-merchant-fundflowbill").Query("sub_mchid", "1900000110").Query("bill_date", "2026-11-22").
		Query("account_type", "BASIC").Query("algorithm", "AEAD_AES_256_GCM").Query("tar_type", "GZIP")
}

func plainOf(plain, _ []byte) []byte { return plain }

func ungzipped(t *testing.T) func(plain, _ []byte) []byte {
	return func(content, _ []byte) []byte { return unzip(t, content) }
}

// An encrypted bill of several parts, joined by their sequence, whatever its digests cover.
func TestSealedBill(t *testing.T) {
	noTemporaryFiles(t)
	first, second, third := randomText(300_000), randomText(100), []byte("")
	for name, tt := range map[string]struct {
		parts  func() []part
		covers string
	}{
		"plain": {func() []part {
			return []part{sealedPart(t, 2, "b", second, plainOf), sealedPart(t, 3, "c", third, plainOf), sealedPart(t, 1, "a", first, plainOf)}
		}, "plain"},
		"gzip, digest of the plain text": {func() []part {
			return []part{sealedPart(t, 1, "a", zipped(t, first), ungzipped(t)), sealedPart(t, 2, "b", zipped(t, second), ungzipped(t)),
				sealedPart(t, 3, "c", zipped(t, third), ungzipped(t))}
		}, "plain"},
		"gzip, digest of the gzip": {func() []part {
			return []part{sealedPart(t, 0, "a", zipped(t, first), plainOf), sealedPart(t, 1, "b", zipped(t, second), plainOf),
				sealedPart(t, 2, "c", zipped(t, third), plainOf)}
		}, "gzip"},
		"gzip, digest of the download": {func() []part {
			sealed := func(_, sealed []byte) []byte { return sealed }
			return []part{sealedPart(t, 1, "a", zipped(t, first), sealed), sealedPart(t, 2, "b", zipped(t, second), sealed),
				sealedPart(t, 3, "c", zipped(t, third), sealed)}
		}, "download"},
		"no digest": {func() []part {
			return []part{sealedPart(t, 1, "a", first, nil), sealedPart(t, 2, "b", second, nil), sealedPart(t, 3, "c", third, nil)}
		}, ""},
	} {
		for _, options := range [][]wxpay.Option{{wxpay.WithCatalog(nil)}, {wxpay.WithPreflight(wxpay.PreflightStrict)}} {
			t.Run(name, func(t *testing.T) {
				gateway := &sealedGateway{lists: [][]part{tt.parts()}}
				client := newClient(t, append(options, wxpay.WithTransport(gateway))...)
				want := string(first) + string(second) + string(third)
				var most int64
				bill, err := sealedChain(client).Bill(context.Background(), wxpay.Progress(func(received, total int64) {
					assert.GreaterOrEqual(t, received, most)
					assert.Equal(t, int64(-1), total)
					most = received
				}))
				require.NoError(t, err)
				var out bytes.Buffer
				for range 2 {
					out.Reset()
					_, err = bill.WriteTo(&out)
					require.NoError(t, err)
					assert.Equal(t, want, out.String())
				}
				assert.Equal(t, int64(len(want)), bill.Size)
				assert.Equal(t, most, bill.Received)
				assert.True(t, bill.Verified, "the key came in a signed answer")
				assert.Equal(t, tt.covers, bill.DigestOf)
				require.NoError(t, bill.Close())

				w, content := destinations()[1].to(t)
				got, err := sealedChain(client).BillTo(context.Background(), w)
				require.NoError(t, err)
				text, _ := content()
				assert.Equal(t, want, text)
				assert.Equal(t, tt.covers, got.DigestOf)
				assert.Equal(t, int64(len(want)), got.Size)
			})
		}
	}
}

func unzip(t *testing.T, content []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(content))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return plain
}

// Not one byte of plain text is released before all of the bill is authenticated, and nothing is left of a bad one.
func TestSealedBillGoesWrong(t *testing.T) {
	noTemporaryFiles(t)
	plain := randomText(200_000)
	flip := func(p part, at int) part {
		p.file = bytes.Clone(p.file)
		p.file[(at+len(p.file))%len(p.file)] ^= 1
		return p
	}
	good := sealedPart(t, 1, "a", plain, plainOf)
	last := sealedPart(t, 2, "b", plain, plainOf)
	short, wrong, foreign, small, noNonce, sm4 := last, last, last, last, last, last
	short.file = short.file[:len(short.file)-1]
	wrong.HashValue = hexSHA1(nil)
	foreign.URL = "https://evil.example/x"
	small.file = small.file[:10]
	noNonce.Nonce = ""
	key, err := apiv3.RSA().Encrypt(testKeys().merchant.Public(), make([]byte, 16))
	require.NoError(t, err)
	sm4.EncryptKey = base64.StdEncoding.EncodeToString(key)
	noKey := last
	noKey.EncryptKey = base64.StdEncoding.EncodeToString(make([]byte, 256))
	unknown := last
	unknown.HashType = "SM3"
	cut := sealedPart(t, 2, "b", zipped(t, plain)[:1000], nil)
	bomb := sealedPart(t, 2, "b", zipped(t, make([]byte, 66<<20)), nil)
	for name, tt := range map[string]struct {
		last part
		is   error
		says string
		out  int // bytes of the parts before that reach a plain writer
	}{
		"first bit":            {flip(last, 0), apiv3.ErrDecrypt, "part 2 of the bill was changed on the way, or its key is another", 0},
		"a bit in the middle":  {flip(last, 100_000), apiv3.ErrDecrypt, "part 2", 0},
		"a bit of the tag":     {flip(last, -1), apiv3.ErrDecrypt, "part 2", 0},
		"a byte short":         {short, apiv3.ErrDecrypt, "part 2", 0},
		"shorter than the tag": {small, apiv3.ErrDecrypt, "shorter than its tag", 0},
		"another nonce":        {func() part { p := last; p.Nonce = "0000000000000000"; return p }(), apiv3.ErrDecrypt, "part 2", 0},
		"another key":          {func() part { p := last; p.EncryptKey = good.EncryptKey; return p }(), apiv3.ErrDecrypt, "part 2", 0},
		"a foreign host":       {foreign, wxpay.StageBuild, "not this client's gateway", 0},
		"no nonce":             {noNonce, wxpay.StageBuild, "part 2 of the bill has no nonce", 0},
		"SM4":                  {sm4, wxpay.StageDecode, "apply with AEAD_AES_256_GCM", 0},
		"a key for another":    {noKey, apiv3.ErrDecrypt, "the key of part 2 cannot be decrypted", 0},
		"an unknown digest":    {unknown, wxpay.StageDecode, "DigestAlgorithm", 0},
		// These are authentic: the platform itself sealed them so. A plain writer has the bytes, and the error says so.
		"a wrong digest": {wrong, wxpay.ErrDigest, "part 2 of the bill: the digest does not match", 400_000},
		"gzip that ends": {cut, wxpay.ErrTruncated, "cut off", -1},
		"a bomb":         {bomb, wxpay.ErrTooLarge, "200 times", -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway := &sealedGateway{lists: [][]part{{good, tt.last}}}
				client := newClient(t, wxpay.WithTransport(gateway))
				var out bytes.Buffer
				_, err := sealedChain(client).BillTo(context.Background(), &out)
				require.ErrorIs(t, err, tt.is)
				assert.ErrorContains(t, err, tt.says)
				if tt.out >= 0 {
					assert.Equal(t, tt.out, out.Len())
				}
				var failure *wxpay.DownloadError
				if out.Len() > 0 {
					require.ErrorAs(t, err, &failure)
					assert.Equal(t, int64(out.Len()), failure.Written)
				}
				w, content := destinations()[1].to(t)
				_, err = sealedChain(client).BillTo(context.Background(), w)
				require.ErrorIs(t, err, tt.is)
				_, there := content()
				assert.False(t, there)
				_, err = sealedChain(client).Bill(context.Background())
				require.ErrorIs(t, err, tt.is)
			})
		})
	}
}

// A part may end without a line break. The next begins a line if it shows that; the file stays what the digests cover.
func TestSealedBillIsJoined(t *testing.T) {
	for name, tt := range map[string]struct {
		parts []string
		want  string
	}{
		"a BOM":                {[]string{"\ufeffa,b\n`1,`2", "\ufeffa,b\n`3,`4", "\ufeff`5,`6"}, "2:1|2\n4:3|4\n5:5|6\n"},
		"names":                {[]string{"\ufeffa,b\r\n`1,`2\r\nn,m\r\n`1,`9", "a,b\r\n`3,`4\r\nn,m\r\n`1,`8"}, "2:1|2\n6:3|4\n== n|m 1|9\n== n|m 1|8\n"},
		"line breaks":          {[]string{"a,b\n`1,`2\n", "\ufeffa,b\n`3,`4\n", "", "`5,`6"}, "2:1|2\n4:3|4\n5:5|6\n"},
		"cut inside of a line": {[]string{"a,b\n`1,`2", "2\n`3", ",`4\n"}, "2:1|22\n3:3|4\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var parts []part
			for i, text := range tt.parts {
				parts = append(parts, sealedPart(t, i+1, strconv.Itoa(i), []byte(text), plainOf))
			}
			client := newClient(t, wxpay.WithTransport(&sealedGateway{lists: [][]part{parts}}))
			bill, err := sealedChain(client).Bill(context.Background())
			require.NoError(t, err)
			defer bill.Close()
			assert.Equal(t, tt.want, readBill(t, bill))
			var out bytes.Buffer
			_, err = bill.WriteTo(&out)
			require.NoError(t, err)
			assert.Equal(t, strings.Join(tt.parts, ""), out.String())
		})
	}
}

// Links that get too old are applied for again: URL, key, nonce and digest change together, what is there and is the same
// stays, and what became another is downloaded again.
func TestSealedBillLinkExpires(t *testing.T) {
	noTemporaryFiles(t)
	one, two := randomText(5000), randomText(6000)
	gone := func(p part) part { p.gone = true; return p }
	for name, tt := range map[string]struct {
		lists func() [][]part
		want  string
		times map[string]int
		fails error
	}{
		"the second": {func() [][]part {
			return [][]part{
				{sealedPart(t, 1, "a", one, plainOf), gone(sealedPart(t, 2, "b", two, plainOf))},
				{sealedPart(t, 1, "A", one, plainOf), sealedPart(t, 2, "B", two, plainOf)},
			}
		}, string(one) + string(two), map[string]int{"apply": 2, "a": 1, "b": 1, "B": 1}, nil},
		"made anew meanwhile": {func() [][]part {
			return [][]part{
				{sealedPart(t, 1, "a", two, plainOf), gone(sealedPart(t, 2, "b", two, plainOf))},
				{sealedPart(t, 1, "A", one, plainOf), sealedPart(t, 2, "B", two, plainOf)},
			}
		}, string(one) + string(two), map[string]int{"apply": 2, "a": 1, "b": 1, "A": 1, "B": 1}, nil},
		"nobody knows whether it is the same": {func() [][]part {
			return [][]part{
				{sealedPart(t, 1, "a", one, nil), gone(sealedPart(t, 2, "b", two, nil))},
				{sealedPart(t, 1, "A", one, nil), sealedPart(t, 2, "B", two, nil)},
			}
		}, string(one) + string(two), map[string]int{"apply": 2, "a": 1, "b": 1, "A": 1, "B": 1}, nil},
		"other parts": {func() [][]part {
			return [][]part{
				{sealedPart(t, 1, "a", one, plainOf), gone(sealedPart(t, 2, "b", two, plainOf))},
				{sealedPart(t, 1, "A", one, plainOf)},
			}
		}, string(one), map[string]int{"apply": 2, "a": 1, "b": 1, "A": 1}, nil},
		"always": {func() [][]part {
			return [][]part{{gone(sealedPart(t, 1, "a", one, plainOf))}}
		}, "", map[string]int{"apply": 3, "a": 3}, wxpay.StageResponse},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := &sealedGateway{lists: tt.lists()}
			client := newClient(t, wxpay.WithTransport(gateway), wxpay.WithAttempts(1))
			var out bytes.Buffer
			_, err := sealedChain(client).BillTo(context.Background(), &out)
			times := map[string]int{}
			for _, s := range gateway.seen {
				times[s]++
			}
			if tt.fails != nil {
				require.ErrorIs(t, err, tt.fails)
				assert.ErrorContains(t, err, "a download link lives for half a minute")
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, tt.want, out.String())
			assert.Equal(t, tt.times, times)
		})
	}
	// Each application brings one more of six parts, before the links of the others are too old. What is whole is kept.
	t.Run("one part at a time", func(t *testing.T) {
		const count = 6
		gateway, want, times := new(sealedGateway), "", map[string]int{"apply": count}
		for n := 1; n <= count; n++ {
			want += string(randomText(1000 + n))
			var list []part
			for i := 1; i <= count; i++ {
				p := sealedPart(t, i, fmt.Sprintf("%d of %d", i, n), randomText(1000+i), plainOf)
				p.URL = "https://api.mch.weixin.qq.com/v3/bill/downloadurl?token=" + url.QueryEscape(p.token)
				p.gone = i > n
				list = append(list, p)
				if i >= n { // those before are there
					times[p.token] = 1
				}
			}
			gateway.lists = append(gateway.lists, list)
		}
		client := newClient(t, wxpay.WithTransport(gateway), wxpay.WithAttempts(1))
		var out bytes.Buffer
		_, err := sealedChain(client).BillTo(context.Background(), &out)
		require.NoError(t, err)
		assert.Equal(t, want, out.String())
		seen := map[string]int{}
		for _, s := range gateway.seen {
			seen[s]++
		}
		assert.Equal(t, times, seen)
	})
	t.Run("not encrypted any more", func(t *testing.T) {
		plain := sealedPart(t, 1, "A", one, plainOf)
		plain.EncryptKey = ""
		gateway := &sealedGateway{lists: [][]part{{gone(sealedPart(t, 1, "a", one, plainOf))}, {plain}}}
		client := newClient(t, wxpay.WithTransport(gateway))
		_, err := sealedChain(client).BillTo(context.Background(), io.Discard)
		assert.ErrorContains(t, err, "the bill changed while it was downloaded")
	})
}

// The caller's context ends an encrypted bill in each of its phases.
func TestSealedBillIsCancelled(t *testing.T) {
	noTemporaryFiles(t)
	p := sealedPart(t, 1, "a", randomText(500_000), plainOf)
	for _, phase := range []string{"while downloading", "while writing"} {
		t.Run(phase, func(t *testing.T) {
			gateway := &sealedGateway{lists: [][]part{{p, sealedPart(t, 2, "b", randomText(500_000), plainOf)}}}
			client := newClient(t, wxpay.WithTransport(gateway))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var options []wxpay.DownloadOption
			var w io.Writer = writer(func(p []byte) (int, error) { cancel(); return len(p), nil })
			if phase == "while downloading" {
				w = new(strings.Builder)
				options = append(options, wxpay.Progress(func(received, _ int64) {
					if received > 100_000 {
						cancel()
					}
				}))
			}
			_, err := sealedChain(client).BillTo(ctx, w, options...)
			require.ErrorIs(t, err, context.Canceled)
			if text, ok := w.(*strings.Builder); ok {
				assert.Zero(t, text.Len())
			}
		})
	}
}
