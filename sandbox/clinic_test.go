package sandbox_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

const (
	askedPath = "/v3/certificates?algorithm_type=RSA&note=b%20c"
	noteBody  = `{"brand_id":"1004","card_id":"p<1>&","user_card_code":"47/8","openid":"会员","out_request_no":"NO-1","cell_message":"a"}`
	fixNonce  = "593BEC0C930BF1AFEB40B4A08C8FB242"
)

// clinic is one sandbox with someone who signs wrongly.
type clinic struct {
	*sandbox.Sandbox
	t     *testing.T
	other sandbox.Merchant // the same merchant with a newer certificate
}

// draft is a good call with a fixed nonce.
func (c clinic) draft(method, target string, body any) *call {
	d := newCall(c.Sandbox, noon, method, target, body)
	d.authorization.Nonce = fixNonce
	return d
}

// over signs any message in place of the right one.
func (c clinic) over(d *call, message string) *call {
	return c.signature(d, func(key *rsa.PrivateKey) []byte {
		digest := sha256.Sum256([]byte(message))
		return c.pkcs1(key, crypto.SHA256, digest[:])
	})
}

func (c clinic) pkcs1(key *rsa.PrivateKey, hash crypto.Hash, digest []byte) []byte {
	signature, err := rsa.SignPKCS1v15(nil, key, hash, digest)
	require.NoError(c.t, err)
	return signature
}

func (c clinic) signature(d *call, sign func(*rsa.PrivateKey) []byte) *call {
	return c.text(d, base64.StdEncoding.EncodeToString(sign(c.Merchant().PrivateKey)))
}

func (c clinic) text(d *call, signature string) *call {
	d.authorization.Signature = signature
	d.header.Set("Authorization", string(d.authorization.AppendTo(nil)))
	return d
}

// changed has the header say something else after signing.
func (c clinic) changed(d *call, old, new string) *call {
	d.sign(c.Sandbox)
	value := d.header.Get("Authorization")
	require.Contains(c.t, value, old)
	d.header.Set("Authorization", strings.Replace(value, old, new, 1))
	return d
}

func message(d *call) string {
	a := d.authorization
	return string(apiv3.AppendRequestMessage(nil, d.method, d.target, a.Timestamp, a.Nonce, d.body))
}

// signedTarget is a GET whose target was signed in another way.
func signedTarget(sent, signed string) func(clinic) *call {
	return func(c clinic) *call {
		d := c.draft("GET", sent, nil)
		d.target2 = signed
		return d.sign(c.Sandbox)
	}
}

// signedBody is a POST whose body was signed in another way.
func signedBody(sent, signed string) func(clinic) *call {
	return func(c clinic) *call {
		d := c.draft("POST", feedPath, sent)
		body := []byte(signed)
		d.body2 = &body
		return d.sign(c.Sandbox)
	}
}

// framed is a POST whose lines were put together in another way.
func framed(change func(string) string) func(clinic) *call {
	return func(c clinic) *call {
		d := c.draft("POST", feedPath, noteBody)
		return c.over(d, change(message(d)))
	}
}

// sealedBody is a POST whose encrypted member is what seal makes.
func sealedBody(seal func(clinic) string) func(clinic) *call {
	return func(c clinic) *call {
		return c.draft("POST", "/v3/security/echo", map[string]any{"echo_message": "m", "encrypted_echo_message": seal(c)}).sign(c.Sandbox)
	}
}

func (c clinic) seal(key *rsa.PublicKey, how func(*rsa.PublicKey) ([]byte, error)) string {
	sealed, err := how(key)
	require.NoError(c.t, err)
	return base64.StdEncoding.EncodeToString(sealed)
}

func oaepSHA1(key *rsa.PublicKey) ([]byte, error) {
	return rsa.EncryptOAEP(sha1.New(), rand.Reader, key, []byte("secret"), nil)
}

func oaepSHA256(key *rsa.PublicKey) ([]byte, error) {
	return rsa.EncryptOAEP(sha256.New(), rand.Reader, key, []byte("secret"), nil)
}

func pkcs1v15(key *rsa.PublicKey) ([]byte, error) {
	return rsa.EncryptPKCS1v15(rand.Reader, key, []byte("secret"))
}

func certificates(c clinic) *call { return c.draft("GET", "/v3/certificates", nil) }

func spell(t *testing.T, change func(map[string]any)) string {
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(noteBody), &object))
	change(object)
	b, err := json.Marshal(object)
	require.NoError(t, err)
	return string(b)
}

// ills are the requests that the clinic explains, by the name of the golden file.
func ills(t *testing.T) map[string]func(clinic) *call {
	indented := new(bytes.Buffer)
	require.NoError(t, json.Indent(indented, []byte(noteBody), "", "  "))
	escaped := new(bytes.Buffer)
	json.HTMLEscape(escaped, []byte(noteBody))
	python := `{"brand_id": "1004", "card_id": "p<1>&", "user_card_code": "47/8", "openid": "\u4f1a\u5458", "out_request_no": "NO-1", "cell_message": "a"}`
	php := `{"brand_id":"1004","card_id":"p<1>&","user_card_code":"47\/8","openid":"\u4f1a\u5458","out_request_no":"NO-1","cell_message":"a"}`
	sorted := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(spell(t, func(map[string]any) {}))

	return map[string]func(clinic) *call{
		"target query order":          signedTarget(askedPath, "/v3/certificates?note=b%20c&algorithm_type=RSA"),
		"target query missing":        signedTarget(askedPath, "/v3/certificates"),
		"target query decoded":        signedTarget(askedPath, "/v3/certificates?algorithm_type=RSA&note=b c"),
		"target query plus":           signedTarget(askedPath, "/v3/certificates?algorithm_type=RSA&note=b+c"),
		"target parameter added":      signedTarget(askedPath, "/v3/certificates?algorithm_type=RSA"),
		"target question mark":        signedTarget("/v3/certificates?", "/v3/certificates"),
		"target question mark signed": signedTarget("/v3/certificates", "/v3/certificates?"),
		"target path decoded": signedTarget("/v3/pay/transactions/out-trade-no/A%7C1?mchid=1900000109",
			"/v3/pay/transactions/out-trade-no/A|1?mchid=1900000109"),
		"target mchid not sent": signedTarget("/v3/pay/transactions/out-trade-no/A1", "/v3/pay/transactions/out-trade-no/A1?mchid=1900000109"),
		"target template": signedTarget("/v3/pay/transactions/out-trade-no/A1?mchid=1900000109",
			"/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid=1900000109"),
		"target host":          signedTarget("/v3/certificates", "https://api.mch.weixin.qq.com/v3/certificates"),
		"target base path":     signedTarget("/v3/certificates", "/certificates"),
		"target no slash":      signedTarget("/v3/certificates", "v3/certificates"),
		"body missing":         signedBody(noteBody, ""),
		"body compact":         signedBody(indented.String(), noteBody),
		"body indented":        signedBody(noteBody, indented.String()),
		"body html escaped":    signedBody(noteBody, escaped.String()),
		"body html escaped lf": signedBody(noteBody, escaped.String()+"\n"),
		"body python":          signedBody(noteBody, python),
		"body php":             signedBody(noteBody, php),
		"body sorted":          signedBody(noteBody, sorted),
		"body lf":              signedBody(noteBody, noteBody+"\n"),
		"body form":            signedBody(`{"a":"1","b":2}`, "a=1&b=2"),
		"body question marks":  signedBody(noteBody, strings.Replace(noteBody, "会员", "??", 1)),
		"body member dropped":  signedBody(noteBody, spell(t, func(m map[string]any) { delete(m, "openid") })),
		"body long":            signedBody(`{"a":"`+strings.Repeat("长", 1000)+`<"}`, `{"a":"`+strings.Repeat("长", 1000)+`\u003c"}`),
		"upload whole body": func(c clinic) *call {
			const file = "not much of a picture"
			sum := sha256.Sum256([]byte(file))
			body := "--b\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n" +
				`{"filename":"a.png","sha256":"` + hex.EncodeToString(sum[:]) + "\"}\r\n" +
				"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n" + file + "\r\n--b--\r\n"
			d := c.draft("POST", "/v3/merchant/media/upload", body)
			d.header.Set("Content-Type", "multipart/form-data; boundary=b")
			return d.sign(c.Sandbox)
		},
		"body encrypted late": func(c clinic) *call {
			sealed := c.seal(c.Keys.PublicKey(), oaepSHA1)
			d := c.draft("POST", "/v3/security/echo", `{"echo_message":"m","encrypted_echo_message":"`+sealed+`"}`)
			plain := []byte(`{"echo_message":"m","encrypted_echo_message":"secret"}`)
			d.body2 = &plain
			return d.sign(c.Sandbox)
		},
		"frame last lf":     framed(func(m string) string { return strings.TrimSuffix(m, "\n") }),
		"frame crlf":        framed(func(m string) string { return strings.ReplaceAll(m, "\n", "\r\n") }),
		"frame double lf":   framed(func(m string) string { return m + "\n" }),
		"frame literal lf":  framed(func(m string) string { return strings.ReplaceAll(m, "\n", `\n`) }),
		"frame no lf":       framed(func(m string) string { return strings.ReplaceAll(m, "\n", "") }),
		"frame hash hashed": framed(func(m string) string { sum := sha256.Sum256([]byte(m)); return string(sum[:]) }),
		"frame hex hashed":  framed(func(m string) string { sum := sha256.Sum256([]byte(m)); return hex.EncodeToString(sum[:]) }),
		"frame answer":      framed(func(m string) string { return strings.Join(strings.SplitAfter(m, "\n")[2:], "") }),
		"frame order": framed(func(m string) string {
			l := strings.SplitAfter(m, "\n")
			l[2], l[3] = l[3], l[2]
			return strings.Join(l, "")
		}),
		"frame empty body line": func(c clinic) *call {
			d := certificates(c)
			return c.over(d, strings.TrimSuffix(message(d), "\n"))
		},
		"method lower case": func(c clinic) *call {
			d := certificates(c)
			return c.over(d, "get"+strings.TrimPrefix(message(d), "GET"))
		},
		"method and query": func(c clinic) *call {
			d := c.draft("GET", askedPath, nil)
			return c.over(d, "get\n/v3/certificates\n"+strings.SplitN(message(d), "\n", 3)[2])
		},
		"query and frame": func(c clinic) *call {
			d := c.draft("GET", askedPath, nil)
			d.target = "/v3/certificates"
			m := strings.TrimSuffix(message(d), "\n")
			d.target = askedPath
			return c.over(d, m)
		},
		"time another timestamp": func(c clinic) *call {
			d := certificates(c)
			signed := d.authorization
			signed.Timestamp = strconv.FormatInt(noon.Unix()-2, 10)
			d.signed = &signed
			return d.sign(c.Sandbox)
		},
		"time nonce case": func(c clinic) *call {
			d := certificates(c)
			signed := d.authorization
			signed.Nonce = strings.ToLower(fixNonce)
			d.signed = &signed
			return d.sign(c.Sandbox)
		},
		"time signature reused": func(c clinic) *call {
			first := c.draft("POST", feedPath, noteBody).sign(c.Sandbox)
			first.send(c.t, c.Transport(), inProcess)
			d := certificates(c)
			d.header.Set("Authorization", first.header.Get("Authorization"))
			return d
		},
		"clock slow": func(c clinic) *call {
			d := certificates(c)
			d.authorization.Timestamp = strconv.FormatInt(noon.Unix()-700, 10)
			return d.sign(c.Sandbox)
		},
		"clock fast": func(c clinic) *call {
			d := certificates(c)
			d.authorization.Timestamp = strconv.FormatInt(noon.Unix()+700, 10)
			return d.sign(c.Sandbox)
		},
		"clock zone": func(c clinic) *call {
			d := certificates(c)
			d.authorization.Timestamp = strconv.FormatInt(noon.Unix()+8*3600+1, 10)
			return d.sign(c.Sandbox)
		},
		"clock milliseconds": func(c clinic) *call {
			d := certificates(c)
			d.authorization.Timestamp = strconv.FormatInt(noon.UnixMilli(), 10)
			return d.sign(c.Sandbox)
		},
		"clock and body": func(c clinic) *call {
			d := c.draft("POST", feedPath, noteBody)
			d.authorization.Timestamp = strconv.FormatInt(noon.Unix()-700, 10)
			body := []byte(python)
			d.body2 = &body
			return d.sign(c.Sandbox)
		},
		"caller unknown": func(c clinic) *call {
			d := certificates(c)
			d.authorization.ID = "1900000110"
			return d.sign(c.Sandbox)
		},
		"serial unknown": func(c clinic) *call {
			d := certificates(c)
			d.authorization.Serial = strings.Repeat("7", 40)
			return d.sign(c.Sandbox)
		},
		"serial lower case": func(c clinic) *call {
			d := certificates(c)
			d.authorization.Serial = strings.ToLower(d.authorization.Serial)
			return d.sign(c.Sandbox)
		},
		"serial decimal": func(c clinic) *call {
			d := certificates(c)
			d.authorization.Serial = c.Merchant().Certificate.SerialNumber.String()
			return d.sign(c.Sandbox)
		},
		"serial of platform": func(c clinic) *call {
			d := certificates(c)
			d.authorization.Serial = apiv3.Serial(c.Keys.Certificates()[1])
			return d.sign(c.Sandbox)
		},
		"serial revoked": func(c clinic) *call {
			require.NoError(c.t, c.Keys.RevokeMerchantCertificate(c.Merchant().Serial))
			return certificates(c).sign(c.Sandbox)
		},
		"key of another certificate": func(c clinic) *call {
			d := certificates(c)
			d.authorization.Serial = c.other.Serial
			return d.sign(c.Sandbox)
		},
		"key of a revoked certificate": func(c clinic) *call {
			require.NoError(c.t, c.Keys.RevokeMerchantCertificate(c.Merchant().Serial))
			d := certificates(c)
			d.authorization.Serial = c.other.Serial
			return d.sign(c.Sandbox)
		},
		"key of another merchant": func(c clinic) *call {
			another, err := c.AddMerchant("1900000110")
			require.NoError(c.t, err)
			d := certificates(c)
			digest := sha256.Sum256([]byte(message(d)))
			return c.text(d, base64.StdEncoding.EncodeToString(c.pkcs1(another.Merchant().PrivateKey, crypto.SHA256, digest[:])))
		},
		"key and body": func(c clinic) *call {
			d := c.draft("POST", feedPath, noteBody)
			d.authorization.Serial = c.other.Serial
			none := []byte{}
			d.body2 = &none
			return d.sign(c.Sandbox)
		},
		"key of nobody": func(c clinic) *call {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			require.NoError(c.t, err)
			d := certificates(c)
			digest := sha256.Sum256([]byte(message(d)))
			return c.text(d, base64.StdEncoding.EncodeToString(c.pkcs1(key, crypto.SHA256, digest[:])))
		},
		"key short": func(c clinic) *call {
			return c.text(certificates(c), base64.StdEncoding.EncodeToString(make([]byte, 128)))
		},
		"algorithm sha1": func(c clinic) *call {
			d := certificates(c)
			digest := sha1.Sum([]byte(message(d)))
			return c.signature(d, func(k *rsa.PrivateKey) []byte { return c.pkcs1(k, crypto.SHA1, digest[:]) })
		},
		"algorithm naked": func(c clinic) *call {
			d := certificates(c)
			digest := sha256.Sum256([]byte(message(d)))
			return c.signature(d, func(k *rsa.PrivateKey) []byte { return c.pkcs1(k, 0, digest[:]) })
		},
		"algorithm pss": func(c clinic) *call {
			d := certificates(c)
			digest := sha256.Sum256([]byte(message(d)))
			return c.signature(d, func(k *rsa.PrivateKey) []byte {
				signature, err := rsa.SignPSS(rand.Reader, k, crypto.SHA256, digest[:], nil)
				require.NoError(c.t, err)
				return signature
			})
		},
		"text url base64":  c64(base64.URLEncoding.EncodeToString),
		"text no padding":  c64(base64.RawStdEncoding.EncodeToString),
		"text hexadecimal": c64(hex.EncodeToString),
		"text twice": c64(func(b []byte) string {
			return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(b)))
		}),
		"text blanks":     c64(func(b []byte) string { return strings.ReplaceAll(base64.StdEncoding.EncodeToString(b), "+", " ") }),
		"text escaped":    c64(func(b []byte) string { return strings.ReplaceAll(base64.StdEncoding.EncodeToString(b), "=", "%3D") }),
		"text not base64": func(c clinic) *call { return c.text(certificates(c), "?") },
		"form missing":    func(c clinic) *call { return certificates(c) },
		"form twice": func(c clinic) *call {
			d := certificates(c).sign(c.Sandbox)
			d.header["Authorization"] = append(d.header["Authorization"], "x")
			return d
		},
		"form bearer": func(c clinic) *call {
			d := certificates(c)
			d.header.Set("Authorization", "Bearer token")
			return d
		},
		"form scheme case":      func(c clinic) *call { return c.changed(certificates(c), "WECHATPAY2", "wechatpay2") },
		"form member missing":   func(c clinic) *call { return c.changed(certificates(c), "nonce_str=", "nonce=") },
		"form quotes":           func(c clinic) *call { return c.changed(certificates(c), `mchid="1900000109"`, `mchid=1900000109`) },
		"form brand on v3":      func(c clinic) *call { return c.changed(certificates(c), "WECHATPAY2-", "WECHATPAY-BRAND-") },
		"platform serial own":   platformSerial(func(c clinic) []string { return []string{c.Merchant().Serial} }),
		"platform serial twice": platformSerial(func(c clinic) []string { return []string{"A", "B"} }),
		"platform serial case":  platformSerial(func(c clinic) []string { return []string{strings.ToLower(apiv3.Serial(c.Keys.Certificates()[1]))} }),
		"platform serial zeros": platformSerial(func(c clinic) []string {
			return []string{strings.TrimLeft(apiv3.Serial(c.Keys.Certificates()[1]), "0")}
		}),
		"platform serial none": platformSerial(func(c clinic) []string { return []string{strings.Repeat("7", 40)} }),
		"platform serial mode": platformSerial(func(c clinic) []string {
			require.NoError(c.t, c.Keys.SetMode(sandbox.PublicKeyOnly))
			return []string{apiv3.Serial(c.Keys.Certificates()[0])}
		}),
		"sealed not named": func(c clinic) *call {
			d := sealedBody(func(c clinic) string { return c.seal(c.Keys.PublicKey(), oaepSHA1) })(c)
			d.header.Del("Wechatpay-Serial")
			return d
		},
		"sealed plain":           sealedBody(func(clinic) string { return "secret" }),
		"sealed for certificate": sealedBody(func(c clinic) string { return c.seal(c.Keys.Certificates()[0].PublicKey.(*rsa.PublicKey), oaepSHA1) }),
		"sealed for merchant":    sealedBody(func(c clinic) string { return c.seal(&c.Merchant().PrivateKey.PublicKey, oaepSHA1) }),
		"sealed sha256":          sealedBody(func(c clinic) string { return c.seal(c.Keys.PublicKey(), oaepSHA256) }),
		"sealed pkcs1":           sealedBody(func(c clinic) string { return c.seal(c.Keys.PublicKey(), pkcs1v15) }),
		"sealed url base64": sealedBody(func(c clinic) string {
			for {
				if text := c.seal(c.Keys.PublicKey(), oaepSHA1); strings.ContainsAny(text, "+/") {
					return strings.NewReplacer("+", "-", "/", "_").Replace(text)
				}
			}
		}),
		"sealed for nobody by chance": sealedBody(func(c clinic) string { // about once in 100,000 times, a wrong key makes this of a ciphertext
			return c.seal(c.Keys.PublicKey(), func(key *rsa.PublicKey) ([]byte, error) {
				return rsa.EncryptPKCS1v15(rand.Reader, key, []byte("\xc3(\x00"))
			})
		}),
		"sealed for nobody": sealedBody(func(c clinic) string {
			return c.seal(&rsa.PublicKey{N: new(big.Int).Sub(c.Keys.PublicKey().N, big.NewInt(2)), E: 65537}, oaepSHA1)
		}),
	}
}

// c64 is a signature that is right and written in another way.
func c64(write func([]byte) string) func(clinic) *call {
	return func(c clinic) *call {
		for at := noon; ; at = at.Add(time.Second) { // until the signature has what gets lost
			d := certificates(c)
			d.authorization.Nonce, d.authorization.Timestamp = fixNonce, strconv.FormatInt(at.Unix(), 10)
			digest := sha256.Sum256([]byte(message(d)))
			signature := c.pkcs1(c.Merchant().PrivateKey, crypto.SHA256, digest[:])
			if strings.ContainsRune(base64.StdEncoding.EncodeToString(signature), '+') || at.After(noon.Add(time.Minute)) {
				return c.text(d, write(signature))
			}
		}
	}
}

func platformSerial(name func(clinic) []string) func(clinic) *call {
	return func(c clinic) *call {
		d := c.draft("POST", "/v3/security/echo", map[string]any{"echo_message": "a"})
		d.header["Wechatpay-Serial"] = name(c)
		return d.sign(c.Sandbox)
	}
}

var requestID = regexp.MustCompile(`[0-9A-F]{32}-\d+`)

// TestExplanations holds the explanation of every ill against its golden file. WXPAY_UPDATE=1 writes them anew.
func TestExplanations(t *testing.T) {
	update := os.Getenv("WXPAY_UPDATE") != ""
	names := []string{}
	for name, ill := range ills(t) {
		file := strings.ReplaceAll(name, " ", "-") + ".txt"
		names = append(names, file)
		t.Run(name, func(t *testing.T) {
			c := clinic{Sandbox: newSandbox(t, fixed(noon)), t: t}
			var err error
			c.other, err = c.Keys.AddMerchantCertificate()
			require.NoError(t, err)
			d := ill(c)
			a := d.send(t, c.Transport(), inProcess)
			require.Contains(t, []int{400, 401}, a.StatusCode, "%s", a.body)
			entries := c.Journal.All()
			entry := entries[len(entries)-1]

			require.NotEmpty(t, entry.Explanation)
			assert.NotContains(t, entry.Explanation, "secret", "sensitive values stay hidden")
			assert.NotContains(t, entry.Explanation, c.Merchant().APIv3Key)
			if signature := d.authorization.Signature; len(signature) > 1 {
				assert.NotContains(t, entry.Explanation, signature)
			}
			assert.NotContains(t, string(a.body), entry.Explanation)

			serials := []string{}
			for _, merchant := range c.Merchants()[1:] {
				serials = append(serials, merchant.Merchant().Serial, "OTHER-MERCHANT-SERIAL")
			}
			if strings.HasPrefix(name, "text ") { // c64 may have moved it
				serials = append(serials, d.authorization.Timestamp, strconv.FormatInt(noon.Unix(), 10))
			}
			got := strings.NewReplacer(append(serials, c.Merchant().Serial, "MERCHANT-SERIAL", c.other.Serial, "SECOND-MERCHANT-SERIAL",
				apiv3.Serial(c.Keys.Certificates()[0]), "PLATFORM-SERIAL-1", apiv3.Serial(c.Keys.Certificates()[1]), "PLATFORM-SERIAL-2",
				c.Keys.PublicKeyID(), "PUBLIC-KEY-ID")...).Replace(entry.String() + "\n" + entry.Explanation + "\n")
			got = sortSerials(requestID.ReplaceAllString(got, "REQUEST-ID"))
			path := filepath.Join("testdata", "explanations", file)
			if update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
	files, err := os.ReadDir(filepath.Join("testdata", "explanations"))
	require.NoError(t, err)
	for _, file := range files {
		assert.True(t, slices.Contains(names, file.Name()), "%s belongs to no ill", file.Name())
	}
	require.NotEmpty(t, files)
}

// serials is a list of certificates, whose order depends on random serials.
var serials = regexp.MustCompile(`(?:(?:SECOND-)?MERCHANT-SERIAL|PLATFORM-SERIAL-\d|PUBLIC-KEY-ID)(?:, ` +
	`(?:(?:SECOND-)?MERCHANT-SERIAL|PLATFORM-SERIAL-\d|PUBLIC-KEY-ID))+`)

func sortSerials(text string) string {
	return serials.ReplaceAllStringFunc(text, func(list string) string {
		return strings.Join(slices.Sorted(slices.Values(strings.Split(list, ", "))), ", ")
	})
}

// TestNoExplanation keeps the journal short where there is nothing to explain.
func TestNoExplanation(t *testing.T) {
	s := newSandbox(t)
	for status, c := range map[int]*call{
		200: newCall(s, time.Now(), "POST", feedPath, feed()).sign(s),
		404: newCall(s, time.Now(), "GET", "/v3/nothing", nil),
		405: newCall(s, time.Now(), "PUT", feedPath, nil),
		400: newCall(s, time.Now(), "POST", feedPath, "{}").sign(s),
	} {
		require.Equal(t, status, c.send(t, s.Transport(), inProcess).StatusCode)
	}
	for _, entry := range s.Journal.All() {
		assert.Empty(t, entry.Explanation, entry.String())
	}
}

// TestExplanationIsBounded sends the largest body there is with a wrong signature.
func TestExplanationIsBounded(t *testing.T) {
	s := newSandbox(t)
	c := newCall(s, time.Now(), "POST", feedPath, `{"a":"`+strings.Repeat("x", 12<<20)+`"}`)
	none := []byte("")
	c.body2 = &none
	require.Equal(t, http.StatusUnauthorized, c.sign(s).send(t, s.Transport(), inProcess).StatusCode)
	explanation := s.Journal.All()[0].Explanation
	assert.Contains(t, explanation, "the body was left out of the message")
	assert.Less(t, len(explanation), 4<<10)
	assert.Contains(t, explanation, "bytes after")
}
