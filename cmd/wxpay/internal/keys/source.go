package keys

import (
	"crypto"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/contrib/pkcs12"
	"github.com/wxpay-go/wxpay/sandbox"
)

// source says where the merchant's keys come from.
type source struct {
	cert     string // file of the certificate; empty for the environment's
	p12      string // file of key and certificate; empty for none
	password string // file of its password; empty for the environment's, or the merchant number
	overseas bool
	sandbox  bool
	mode     string // of the sandbox's keys; empty for its default
}

const sourceHelp = `Credentials come from the environment:
  WXPAY_MCHID           merchant number
  WXPAY_PRIVATE_KEY     private key of the merchant API certificate: a file's path or the PEM text
  WXPAY_CERTIFICATE     that certificate: a file's path or the PEM text; --cert names its file instead
  WXPAY_SERIAL          its serial, in place of the certificate
  WXPAY_APIV3_KEY       APIv3 key, under which platform certificates and notifications are encrypted
  WXPAY_PUBLIC_KEY_ID   id of the WeChat Pay public key
  WXPAY_PUBLIC_KEY      the WeChat Pay public key: a file's path or the PEM text
  WXPAY_BASE_URL        another gateway (optional)
--p12 names a file with private key and certificate, which replace those of the environment. Its password is the content
of --password-file, else WXPAY_KEY_PASSWORD, else the merchant number.`

func (s *source) flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.cert, "cert", "", "`FILE` of the merchant API certificate (apiclient_cert.pem)")
	flags.StringVar(&s.p12, "p12", "", "`FILE` of private key and certificate (apiclient_cert.p12)")
	flags.StringVar(&s.password, "password-file", "", "`FILE` that contains the password of --p12 and nothing else")
	flags.BoolVar(&s.overseas, "overseas", false, "ask for the certificates of an overseas merchant "+
		"(v3/global/certificates)")
	flags.BoolVar(&s.sandbox, "sandbox", false, "ask an embedded sandbox, which brings its own credentials")
	flags.StringVar(&s.mode, "sandbox-keys", "", "which platform keys its merchant has: `both`, certificates or public-key")
}

// sandboxModes are the values of --sandbox-keys.
var sandboxModes = map[string]sandbox.KeyMode{
	"": sandbox.BothKeys, "both": sandbox.BothKeys, "certificates": sandbox.CertificatesOnly, "public-key": sandbox.PublicKeyOnly,
}

// valid rejects flags that exclude each other.
func (s *source) valid() error {
	_, known := sandboxModes[s.mode]
	switch {
	case s.mode != "" && !s.sandbox:
		return shell.Usage("--sandbox-keys is about the keys of --sandbox, which is not given")
	case !known:
		return shell.Usage("--sandbox-keys %q is not one of both, certificates, public-key", s.mode)
	case s.sandbox && s.cert+s.p12+s.password != "":
		return shell.Usage("--sandbox brings its own credentials: leave out --cert, --p12 and --password-file; to " +
			"check yours against a sandbox, set WXPAY_BASE_URL")
	case s.cert != "" && s.p12 != "":
		return shell.Usage("--cert and --p12 exclude each other: a .p12 file has its certificate in it")
	case s.password != "" && s.p12 == "":
		return shell.Usage("--password-file is for --p12, which is not given")
	}
	return nil
}

// credentials are the keys of a merchant as they were found, with an error for each that could not be read.
type credentials struct {
	id     string // merchant number
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
	overseas bool
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
		c = readCredentials(server.LookupEnv)
		c.certificate = server.Merchant().Certificate
	} else {
		c = readCredentials(sh.Lookup)
	}
	c.overseas = s.overseas
	if err := c.readFiles(sh, s); err != nil {
		leave()
		return nil, nil, err
	}
	var missing []string
	if c.id == "" {
		missing = append(missing, "WXPAY_MCHID")
	}
	if c.key == nil && c.keyErr == nil {
		missing = append(missing, "WXPAY_PRIVATE_KEY (or --p12)")
	}
	if c.serial == "" && c.certificate == nil && c.certErr == nil {
		missing = append(missing, "WXPAY_SERIAL or WXPAY_CERTIFICATE (or --cert)")
	}
	if len(missing) > 0 {
		leave()
		return nil, nil, shell.Usage("not set in the environment: %s\nWithout an account: --sandbox asks an embedded sandbox.",
			strings.Join(missing, ", "))
	}
	return c, leave, nil
}

func readCredentials(lookup func(string) (string, bool)) *credentials {
	get := func(name string) string {
		value, _ := lookup(name)
		return value
	}
	c := &credentials{
		id: get("WXPAY_MCHID"), serial: get("WXPAY_SERIAL"), apiv3Key: get("WXPAY_APIV3_KEY"),
		publicID: get("WXPAY_PUBLIC_KEY_ID"), baseURL: get("WXPAY_BASE_URL"),
	}
	if text := get("WXPAY_PRIVATE_KEY"); text != "" {
		c.key, c.keyErr = wxpay.LoadPrivateKey(text)
	}
	if text := get("WXPAY_CERTIFICATE"); text != "" {
		c.certificate, c.certErr = wxpay.LoadCertificate(text)
	}
	switch text := get("WXPAY_PUBLIC_KEY"); {
	case text != "" && c.publicID == "":
		c.publicErr = errors.New("WXPAY_PUBLIC_KEY is set and WXPAY_PUBLIC_KEY_ID is not: copy the id from the " +
			"merchant platform, which shows it beside the key")
	case text != "":
		c.publicKey, c.publicErr = wxpay.LoadPublicKey(text)
	case c.publicID != "":
		c.publicErr = errors.New("WXPAY_PUBLIC_KEY_ID is set and WXPAY_PUBLIC_KEY is not: save the key from the " +
			"merchant platform, which shows it beside the id")
	}
	return c
}

// readFiles reads the files of the flags. A file that cannot be read is a usage error; its content is for the checks.
func (c *credentials) readFiles(sh *shell.Shell, s source) error {
	in := shell.NewInput(sh)
	switch {
	case s.cert != "":
		data, err := in.Open(s.cert)
		if err != nil {
			return shell.Usage("--cert: %w", err)
		}
		c.certificate, c.certErr = apiv3.ParseCertificate(data)
	case s.p12 != "":
		data, err := in.Open(s.p12)
		if err != nil {
			return shell.Usage("--p12: %w", err)
		}
		password, err := readPassword(sh, in, s.password, c.id)
		if err != nil {
			return err
		}
		own, err := pkcs12.Load(data, password)
		c.key, c.keyErr, c.certificate, c.certErr = own.PrivateKey, err, own.Certificate, nil
		if err != nil {
			c.key, c.certificate = nil, nil
			c.certErr = errors.New("the file that contains it could not be read")
		}
	}
	return nil
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
