package mcp

import (
	"bufio"
	"context"
	"crypto/rsa"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

type signed struct {
	Request     string `json:"request" jsonschema:"the HTTP request as sent: request line, headers with Authorization, an empty line, the body"`
	Certificate string `json:"certificate,omitempty" jsonschema:"the merchant's API certificate (apiclient_cert.pem), or its public key, as PEM text; never the private key. Left out for a request that the keys of the sandbox signed"`
	spoken
}

type notified struct {
	Headers map[string]string `json:"headers" jsonschema:"headers as received; the four Wechatpay ones are needed"`
	Body    string            `json:"body" jsonschema:"the body byte for byte as received, not parsed and printed again"`
	At      string            `json:"at,omitempty" jsonschema:"time as of which it is verified, RFC 3339 or seconds since 1970; now if left out"`
	Sandbox bool              `json:"sandbox,omitempty" jsonschema:"take the keys of the running sandbox instead of those of the environment"`
	Show    bool              `json:"show,omitempty" jsonschema:"return the decrypted resource of a valid notification"`
	spoken
}

func (s *server) addProofs(p *mcp.Server) {
	tool(s, p, "explain_signature", shell.Text("Explain why the signature of a pasted request is rejected, line by line: with the merchant's API "+
		"certificate or public key, or with the keys of the sandbox. No private key is needed, and none is taken."), true, s.signature)
	tool(s, p, "verify_notification", shell.Text("Verify a notification step by step: headers, time, key, signature, decryption, kind. The keys are "+
		"those of the environment, or of the sandbox."), true, s.notification)
}

// authorized finds the merchant and the time in Authorization.
var authorized = regexp.MustCompile(`mchid="(\d{8,10})".*timestamp="(\d{10})"|timestamp="(\d{10})".*mchid="(\d{8,10})"`)

// signature sends a request to a sandbox whose clock shows the time of the request, so that its age is no matter.
func (s *server) signature(ctx context.Context, sh *shell.Shell, in signed) (string, error) {
	head, body, long := strings.Cut(in.Request, "\r\n\r\n")
	if !long {
		head, body, _ = strings.Cut(in.Request, "\n\n")
	}
	request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\n\n")))
	if err != nil {
		return "", shell.Say("this is not an HTTP request: a request line such as POST /v3/… HTTP/1.1, headers, an empty line, the body")
	}
	found := authorized.FindStringSubmatch(request.Header.Get("Authorization"))
	if found == nil {
		return "", shell.Say("the request has no Authorization with mchid and timestamp, so there is no signature to explain")
	}
	seconds, err := strconv.ParseInt(found[2]+found[3], 10, 64)
	if err != nil {
		return "", err
	}
	merchant := found[1] + found[4]
	gateway, err := sandbox.New(sandbox.WithMerchant(merchant),
		sandbox.WithClock(func() time.Time { return time.Unix(seconds, 0) }))
	if err != nil {
		return "", err
	}
	defer gateway.Close()
	serial := named(request)
	if in.Certificate != "" {
		err = trust(gateway, in.Certificate, serial)
	} else if apiv3.IsSerial(serial) && serial != gateway.Merchant().Serial {
		err = shell.Say("serial_no is %s, which is no certificate of the sandbox: give the API certificate of the merchant or its public key "+
			"in certificate, as PEM text, and never the private key", serial)
	}
	if err != nil {
		return "", err
	}
	for _, name := range []string{"Accept", "User-Agent"} { // no signature covers them, and who pastes a request leaves them out
		if request.Header.Get(name) == "" {
			request.Header.Set(name, "*/*")
		}
	}
	request.Body, request.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	gateway.ServeHTTP(&discarder{header: make(http.Header)}, request.WithContext(ctx))
	if all := gateway.Journal.All(); len(all) > 0 && all[0].Verified {
		return sh.Words("the signature verifies; the age of the request was not looked at"), nil
	}
	text, err := gateway.Journal.Explain("")
	if err != nil {
		return "", err
	}
	return foreign(sh, sh.Words("the request is rejected"), sh.Explanation(text)), nil
}

// named returns the serial that a request names; empty if it cannot be read.
func named(request *http.Request) string {
	a, err := apiv3.ParseAuthorization(request.Header.Get("Authorization"))
	if err != nil {
		return ""
	}
	return a.Serial
}

// trust makes a merchant's real key the only one that signs for it. A public key goes by the serial of the request, for it
// has none of its own.
func trust(gateway *sandbox.Sandbox, text, serial string) error {
	if strings.Contains(text, "PRIVATE KEY") {
		return shell.Say("certificate has a private key in it, which was not looked at: give the certificate or the public key alone, " +
			"and replace the key if somebody else can have read it")
	}
	key, err := apiv3.ParsePublicKey([]byte(text))
	if certificate, failed := apiv3.ParseCertificate([]byte(text)); failed == nil {
		name, merchant := certificate.Subject.CommonName, gateway.Merchant().ID
		if name != merchant {
			return shell.Say("certificate is that of %s, and the request is of the merchant %s", shell.Printable(name), merchant)
		}
		key, serial, err = certificate.PublicKey, apiv3.Serial(certificate), nil
	}
	public, ok := key.(*rsa.PublicKey)
	if err != nil || !ok {
		return shell.Say("certificate is neither a certificate nor an RSA public key in PEM, such as apiclient_cert.pem")
	}
	if err := gateway.Keys.RevokeMerchantCertificate(gateway.Merchant().Serial); err != nil {
		return err
	}
	if err := gateway.Keys.AddMerchantKey(serial, public); err != nil {
		return shell.Say("the key in certificate cannot be taken: %w", err)
	}
	return nil
}

// discarder is a response that nobody reads.
type discarder struct{ header http.Header }

func (d *discarder) Header() http.Header         { return d.header }
func (d *discarder) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarder) WriteHeader(int)             {}

func (s *server) notification(ctx context.Context, sh *shell.Shell, in notified) (string, error) {
	environ := sh.Environ
	if in.Sandbox {
		gateway, err := s.started()
		if err != nil {
			return "", err
		}
		environ = append(gateway.Env(), "WXPAY_LANG="+string(languageOf(sh)))
	}
	content, err := json.Marshal(map[string]any{"headers": maps.Clone(in.Headers), "body": in.Body})
	if err != nil {
		return "", err
	}
	args := []string{"webhook", "verify", "-"}
	if in.At != "" {
		args = append(args, "--at="+in.At)
	}
	if in.Show {
		args = append(args, "--show")
	}
	code, stdout, stderr := command(ctx, environ, string(content), args...)
	if code > 1 {
		return "", shell.Say("%s", strings.TrimSpace(stderr))
	}
	if in.Show {
		return foreign(sh, strings.TrimSpace(stderr), stdout), nil
	}
	return stdout + stderr, nil
}
