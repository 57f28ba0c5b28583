package keys

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

// source says where the merchant's keys come from.
type source struct {
	shell.CredentialFlags
	sandbox bool
	timeout time.Duration // of each response
	mode    string        // of the sandbox's keys; empty for its default
}

func (s *source) flags(flags *pflag.FlagSet) {
	s.Add(flags)
	flags.BoolVar(&s.sandbox, "sandbox", false, "ask an embedded sandbox, which brings its own credentials")
	flags.StringVar(&s.mode, "sandbox-keys", "", "`KIND` of platform keys that its merchant has: public, certificates or both")
	s.timeout = 10 * time.Second
	shell.TimeoutFlag(flags, &s.timeout, "how long to wait for each response, such as 5s")
}

// sandboxModes are the values of --sandbox-keys.
var sandboxModes = map[string]sandbox.KeyMode{
	"": sandbox.BothKeys, "both": sandbox.BothKeys, "certificates": sandbox.CertificatesOnly, "public": sandbox.PublicKeyOnly,
}

// valid rejects flags that exclude each other.
func (s *source) valid() error {
	_, known := sandboxModes[s.mode]
	switch {
	case s.mode != "" && !s.sandbox:
		return shell.Usage("--sandbox-keys is about the keys of --sandbox, which is not given")
	case !known:
		return shell.Usage("--sandbox-keys %q is not one of public, certificates, both", s.mode)
	}
	return s.Check(s.sandbox)
}

// credentials are the keys of a merchant as they were found, with an error for each that could not be read.
type credentials struct {
	id     string // merchant number, or brand_id
	brand  bool   // the caller is a brand
	serial string // as given by itself; empty if it is the certificate's

	key    crypto.Signer
	keyErr error

	certificate *x509.Certificate // nil if none was given
	certErr     error

	apiv3Key string // empty if none was given

	publicID  string // of the WeChat Pay public key; empty if none was given
	publicKey crypto.PublicKey
	publicErr error

	baseURL  string // empty for the platform
	insecure string // host that may be reached by plain http
	overseas bool

	named func(error) error // puts the names of a profile in place of those of variables
}

// readSource reads the keys of the environment and of the flags, or starts a sandbox that lives until leave is called.
// It fails only if there is nothing to check.
func readSource(sh *shell.Shell, s source) (c *credentials, leave func(), err error) {
	if err := s.valid(); err != nil {
		return nil, nil, err
	}
	leave = func() {}
	if s.sandbox {
		server, err := shell.Listen("127.0.0.1:0", sandbox.WithKeyMode(sandboxModes[s.mode]))
		if err != nil {
			return nil, nil, err
		}
		leave = func() { server.Close() }
		c = readCredentials(server.LookupEnv, func(string) error { return nil })
		c.certificate = server.Merchant().Certificate
		c.overseas = s.Overseas
	} else {
		found, err := sh.Credentials(&s.CredentialFlags)
		if err != nil {
			return nil, nil, err
		}
		c = readCredentials(found.Lookup, found.Fault)
		c.named = found.Named
		if c.overseas, err = found.Bool("WXPAY_OVERSEAS"); err == nil {
			err = found.Err("WXPAY_PRIVATE_KEY", "WXPAY_CERTIFICATE", "WXPAY_PUBLIC_KEY") // these have checks of their own
		}
		if err != nil {
			return nil, nil, shell.Usage("%w", found.Explain(err))
		}
		if c.overseas {
			c.baseURL = cmp.Or(c.baseURL, wxpay.OverseasBaseURL)
		}
	}
	var missing []string
	if c.id == "" {
		missing = append(missing, "WXPAY_MCHID or WXPAY_BRAND_ID")
	}
	if c.key == nil && c.keyErr == nil {
		missing = append(missing, "WXPAY_PRIVATE_KEY (or --p12)")
	}
	if c.serial == "" && c.certificate == nil && c.certErr == nil {
		missing = append(missing, "WXPAY_SERIAL or WXPAY_CERTIFICATE (or --cert)")
	}
	if len(missing) > 0 {
		leave()
		return nil, nil, shell.Usage("%w\nWithout an account: --sandbox asks an embedded sandbox.",
			c.named(shell.Say("not set in the environment: %s", strings.Join(missing, ", "))))
	}
	return c, leave, nil
}

// readCredentials reads the keys of variables. fault returns the reason why one has no value although it is set.
func readCredentials(lookup func(string) (string, bool), fault func(string) error) *credentials {
	get := func(name string) string {
		value, _ := lookup(name)
		return value
	}
	c := &credentials{
		id: get("WXPAY_MCHID"), serial: get("WXPAY_SERIAL"), apiv3Key: get("WXPAY_APIV3_KEY"),
		publicID: get("WXPAY_PUBLIC_KEY_ID"), baseURL: get("WXPAY_BASE_URL"), insecure: get("WXPAY_INSECURE_HTTP"),
		named:  func(err error) error { return err },
		keyErr: fault("WXPAY_PRIVATE_KEY"), certErr: fault("WXPAY_CERTIFICATE"), publicErr: fault("WXPAY_PUBLIC_KEY"),
	}
	if brand := get("WXPAY_BRAND_ID"); brand != "" && c.id == "" {
		c.id, c.brand = brand, true
	}
	if text := get("WXPAY_PRIVATE_KEY"); text != "" && c.keyErr == nil {
		c.key, c.keyErr = wxpay.LoadPrivateKey(text)
	}
	if text := get("WXPAY_CERTIFICATE"); text != "" && c.certErr == nil {
		c.certificate, c.certErr = wxpay.LoadCertificate(text)
	}
	switch text := get("WXPAY_PUBLIC_KEY"); {
	case c.publicErr != nil:
	case text != "" && c.publicID == "":
		c.publicErr = shell.Say("WXPAY_PUBLIC_KEY is set and WXPAY_PUBLIC_KEY_ID is not: copy the id from the " +
			"merchant platform, which shows it beside the key")
	case text != "":
		c.publicKey, c.publicErr = wxpay.LoadPublicKey(text)
	case c.publicID != "":
		c.publicErr = shell.Say("WXPAY_PUBLIC_KEY_ID is set and WXPAY_PUBLIC_KEY is not: save the key from the " +
			"merchant platform, which shows it beside the id")
	}
	return c
}

// readPassword returns the content of the file name, else the password of the environment, else usual.
func readPassword(sh *shell.Shell, in *shell.Input, name, usual string) (string, error) {
	if name != "" {
		data, err := in.Open(name)
		if err != nil {
			return "", shell.Usage("--password-file: %w", err)
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	if password, ok := sh.Lookup("WXPAY_KEY_PASSWORD"); ok {
		return password, nil
	}
	return usual, nil
}

// client returns a client of these credentials with a source of platform keys.
func (c *credentials) client(sh *shell.Shell, options ...wxpay.Option) (*wxpay.Client, error) {
	if c.baseURL != "" {
		options = append(options, wxpay.WithBaseURL(c.baseURL))
	}
	if c.insecure != "" {
		options = append(options, wxpay.WithInsecureHTTP(c.insecure))
	}
	if c.brand {
		options = append(options, wxpay.WithScheme(apiv3.Brand()))
	}
	merchant := wxpay.Merchant{ID: c.id, Serial: c.serial, PrivateKey: c.key, Certificate: c.certificate, APIv3Key: c.apiv3Key}
	return wxpay.New(merchant, append(options, sh.Options...)...)
}

// certificates is the option of a client that fetches the platform's certificates.
func (c *credentials) certificates() wxpay.Option {
	if c.overseas {
		return wxpay.WithCertificates(wxpay.GlobalCertificates())
	}
	return wxpay.WithCertificates()
}

// listPath is the path of the platform's certificates.
func (c *credentials) listPath() string {
	if c.overseas {
		return "v3/global/certificates"
	}
	return "v3/certificates"
}
