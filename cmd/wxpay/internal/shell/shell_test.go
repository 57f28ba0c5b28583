package shell_test

import (
	"bytes"
	"errors"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

func TestInputOnce(t *testing.T) {
	in := shell.NewInput(&shell.Shell{Stdin: errorReader{}})
	_, err := in.Open("-")
	assert.EqualError(t, err, "broken")
	_, err = in.Open("-")
	assert.EqualError(t, err, "standard input can be used once")
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// A signal that nohup ignores stays ignored.
func TestHangUpStaysIgnored(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	_, stop := shell.Interruptible(t.Context())
	defer stop()
	assert.True(t, signal.Ignored(syscall.SIGHUP))
}

func TestLookup(t *testing.T) {
	sh := &shell.Shell{Environ: []string{"A=1", "B=", "A=2"}}
	value, ok := sh.Lookup("A")
	assert.True(t, ok)
	assert.Equal(t, "2", value, "the last counts, as for a child process")
	_, ok = sh.Lookup("B")
	assert.True(t, ok)
	_, ok = sh.Lookup("C")
	assert.False(t, ok)
	assert.Empty(t, sh.Getenv("C"))
}

// Remedies that the client gives in Go become flags.
func TestInFlags(t *testing.T) {
	for text, want := range map[string]string{
		`{id} has no value: call Var("id", …)`:                                      "{id} has no value: give --var id=…",
		`it is missing: call Query("mchid", …)`:                                     "it is missing: give -q mchid=…",
		`call Header("Idempotency-Key", …)`:                                         "give -H 'Idempotency-Key: …'",
		`name its key with Header("Wechatpay-Serial", …)`:                           "name its key with -H 'Wechatpay-Serial: …'",
		`it has a query or fragment: use Query(name, value)`:                        "it has a query or fragment: give -q name=…",
		`write a {name} and fill it with RawVar`:                                    "write a {name} and fill it with --raw-var",
		`not percent-encoded text: use Var for plain values`:                        "not percent-encoded text: use --var for plain values",
		`it is encrypted: Plain("/a/b") sends it as it is`:                          "it is encrypted: --plain /a/b sends it as it is",
		`Encrypt("/who"): the request has no such field`:                            "--encrypt /who: the request has no such field",
		`only https://x serves it: make a client with WithBaseURL`:                  "only https://x serves it: set WXPAY_BASE_URL",
		`no response within 5s (WithTimeout and WithAttemptTimeout set the limits)`: "no response within 5s",
		`this is a PKCS#12 file (apiclient_cert.p12), which contrib/pkcs12 reads`:   "this is a PKCS#12 file (apiclient_cert.p12), which --p12 and WXPAY_P12 take",
		`this is PEM text, not a .p12 file: wxpay.LoadPrivateKey reads it`:          "this is PEM text, not a .p12 file: WXPAY_PRIVATE_KEY takes it",
		`it does not belong to Certificate (apiclient_cert.pem)`:                    "it does not belong to WXPAY_CERTIFICATE (apiclient_cert.pem)",
		`Merchant.Serial is "x", not 40 hex digits`:                                 `WXPAY_SERIAL is "x", not 40 hex digits`,
		`it is *ecdsa.PublicKey, the scheme X needs RSA`:                            "it is an ECDSA key, the scheme X needs RSA",
		`Query the order, Plain text, Header`:                                       `Query the order, Plain text, Header`,
	} {
		assert.Equal(t, want, shell.InFlags(text))
	}
}

func TestText(t *testing.T) {
	assert.Equal(t, "a\nb[31m", shell.Printable("a\n\x1bb[31m\u0085"))
	assert.Equal(t, "a b", shell.OneLine(" a\n\tb\r"))
	assert.Equal(t, strings.Repeat("字", 64)+"…", shell.Bounded(strings.Repeat("字", 65)))
	assert.Equal(t, strings.Repeat("字", 64), shell.Bounded(strings.Repeat("字", 64)))
	assert.EqualError(t, shell.Plainly(errors.New("wxpay: a\nb")), "a; b")
	require.False(t, shell.IsTerminal(strings.NewReader("")))
}

// TestNothingSteersATerminal: control characters of C0 and C1, lone bytes that a terminal may take for
// such, and changes of direction reach no terminal. A pipe gets every byte of a response.
func TestNothingSteersATerminal(t *testing.T) {
	const evil = "a\x1b[2Jb\u009b31mc\u202ed\u2066e\r\x07f\x9bg"
	steers := func(text string) bool {
		return strings.ContainsFunc(strings.ToValidUTF8(text, "\x1b"), func(r rune) bool {
			return r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || unicode.Is(unicode.Bidi_Control, r)
		})
	}
	require.True(t, steers(evil))
	for name, print := range map[string]func(sh *shell.Shell){
		"answer":    func(sh *shell.Shell) { assert.NoError(t, sh.WriteForeign([]byte(evil))) },
		"note":      func(sh *shell.Shell) { sh.Note("%s", evil) },
		"document":  func(sh *shell.Shell) { assert.NoError(t, sh.WriteJSON(map[string]string{"a": evil})) },
		"rejection": func(sh *shell.Shell) { sh.NoteRejection(sandbox.Entry{Target: evil, Reason: evil, Explanation: evil}) },
		"body": func(sh *shell.Shell) {
			var out bytes.Buffer
			sh.AppendBody(&out, []byte(`{"a":"`+"\u202e\u009b"+`"}`))
			assert.NoError(t, sh.WriteForeign(out.Bytes()))
		},
	} {
		var out bytes.Buffer
		print(&shell.Shell{Stdout: &out, Stderr: &out, Terminal: true})
		assert.False(t, steers(out.String()), "%s: %q", name, out.String())
		assert.NotEmpty(t, out.String(), name)
	}
	var pipe bytes.Buffer
	require.NoError(t, (&shell.Shell{Stdout: &pipe}).WriteForeign([]byte(evil)))
	assert.Equal(t, evil, pipe.String())
}
