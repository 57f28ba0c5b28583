package cli

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/pkcs12"
	"github.com/wxpay-go/wxpay/sandbox"
)

// keysRuns are what the commands below keys run.
type keysRuns struct {
	check    func(context.Context, keysCheckOptions) error
	show     func(keysShowOptions) error
	download func(context.Context, keysDownloadOptions) error
}

func keysCommand(run keysRuns) *cobra.Command {
	command := &cobra.Command{
		Use:   "keys",
		Short: "Check keys and certificates, look into their files, and download the platform's",
		Long: `Check the keys and certificates of a merchant, look into the files that hold them, and download the platform's.

Which file is which, as the merchant platform hands them out:
  apiclient_key.pem       the merchant's private key, which signs requests and opens what is encrypted for the merchant
  apiclient_cert.pem      the merchant API certificate, whose serial requests name
  apiclient_cert.p12      both of them under a password, which is the merchant number
  pub_key.pem             the WeChat Pay public key, with an id PUB_KEY_ID_…: verifies answers and encrypts for the platform
  wechatpay_SERIAL.pem    a platform certificate, for the same; merchants have this, the public key, or both for a time

No command prints a private key, the APIv3 key or a password.`,
		Example: `  wxpay keys check --cert apiclient_cert.pem
  wxpay keys show apiclient_*.p* pub_key.pem
  wxpay keys download --out certificates`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("there is no keys %s: write wxpay keys check, show or download", printable(args[0]))
			}
			return usageError("say what to do: wxpay keys check, show or download")
		},
	}
	command.AddCommand(keysCheckCommand(run.check), keysShowCommand(run.show), keysDownloadCommand(run.download))
	return command
}

// keySource says where the merchant's keys come from.
type keySource struct {
	cert     string // file of the certificate; empty for the environment's
	p12      string // file of key and certificate; empty for none
	password string // file of its password; empty for the environment's, or the merchant number
	overseas bool
	sandbox  bool
	mode     string // of the sandbox's keys; empty for its default
}

const keySourceHelp = `Credentials come from the environment:
  WXPAY_MCHID           merchant number
  WXPAY_PRIVATE_KEY     private key of the merchant API certificate: a file's path or the PEM text
  WXPAY_CERTIFICATE     that certificate: a file's path or the PEM text; --cert names its file instead
  WXPAY_SERIAL          its serial, in place of the certificate
  WXPAY_APIV3_KEY       APIv3 key, under which platform certificates and notifications are encrypted
  WXPAY_PUBLIC_KEY_ID   id of the WeChat Pay public key
  WXPAY_PUBLIC_KEY      the WeChat Pay public key: a file's path or the PEM text
  WXPAY_BASE_URL        another gateway (optional)
--p12 names a file with private key and certificate, and then those of the environment are not looked at. Its password is
the content of --password-file, else WXPAY_KEY_PASSWORD, else the merchant number.`

func (s *keySource) flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.cert, "cert", "", "`FILE` of the merchant API certificate (apiclient_cert.pem)")
	flags.StringVar(&s.p12, "p12", "", "`FILE` of private key and certificate (apiclient_cert.p12)")
	flags.StringVar(&s.password, "password-file", "", "`FILE` that holds the password of --p12 and nothing else")
	flags.BoolVar(&s.overseas, "overseas", false, "ask for the certificates of an overseas merchant (v3/global/certificates)")
	flags.BoolVar(&s.sandbox, "sandbox", false, "ask an embedded sandbox, which brings its own credentials")
	flags.StringVar(&s.mode, "sandbox-keys", "", "which platform keys its merchant has: `both`, certificates or public-key")
}

// sandboxModes are the values of --sandbox-keys.
var sandboxModes = map[string]sandbox.KeyMode{
	"": sandbox.BothKeys, "both": sandbox.BothKeys, "certificates": sandbox.CertificatesOnly, "public-key": sandbox.PublicKeyOnly,
}

// check reports flags that do not go together.
func (s *keySource) check() error {
	_, known := sandboxModes[s.mode]
	switch {
	case s.mode != "" && !s.sandbox:
		return usageError("--sandbox-keys is about the keys of --sandbox, which is not given")
	case !known:
		return usageError("--sandbox-keys %q is not one of both, certificates, public-key", s.mode)
	case s.sandbox && s.cert+s.p12+s.password != "":
		return usageError("--sandbox brings its own credentials: leave --cert, --p12 and --password-file out; to check yours against a sandbox, set WXPAY_BASE_URL")
	case s.cert != "" && s.p12 != "":
		return usageError("--cert and --p12 exclude each other: a .p12 file has its certificate in it")
	case s.password != "" && s.p12 == "":
		return usageError("--password-file is for --p12, which is not given")
	}
	return nil
}

// credentials are the keys of a merchant as they were found. An error stands beside what could not be read.
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

// credentials reads the keys of the environment and of the flags, or starts a sandbox that lives until leave is called.
// It fails only where there is nothing to judge.
func (p *program) credentials(s keySource) (c *credentials, leave func(), err error) {
	if err := s.check(); err != nil {
		return nil, nil, err
	}
	lookup, leave := p.lookup, func() {}
	if s.sandbox {
		box, err := sandbox.New(sandbox.WithKeyMode(sandboxModes[s.mode]))
		if err != nil {
			return nil, nil, &exitError{exitNotSent, err}
		}
		server, err := box.Listen("127.0.0.1:0")
		if err != nil {
			return nil, nil, &exitError{exitNotSent, err}
		}
		lookup, leave = server.LookupEnv, func() { server.Close() }
		c = readCredentials(lookup)
		c.certificate = server.Merchant().Certificate
	} else {
		c = readCredentials(lookup)
	}
	c.overseas = s.overseas
	if err := p.readFiles(c, s); err != nil {
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
		return nil, nil, usageError("not set in the environment: %s\nWithout an account: --sandbox asks an embedded sandbox.", strings.Join(missing, ", "))
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
		c.publicErr = errors.New("WXPAY_PUBLIC_KEY is set and WXPAY_PUBLIC_KEY_ID is not: copy the id from the merchant platform, where it stands beside the key")
	case text != "":
		c.publicKey, c.publicErr = wxpay.LoadPublicKey(text)
	case c.publicID != "":
		c.publicErr = errors.New("WXPAY_PUBLIC_KEY_ID is set and WXPAY_PUBLIC_KEY is not: save the key from the merchant platform, where it stands beside the id")
	}
	return c
}

// readFiles reads what flags name. That a file cannot be read at all is a usage error; what is in it is for the checks.
func (p *program) readFiles(c *credentials, s keySource) error {
	in := &input{stdin: p.stdin}
	switch {
	case s.cert != "":
		data, err := in.open(s.cert)
		if err != nil {
			return usageError("--cert: %w", err)
		}
		c.certificate, c.certErr = apiv3.ParseCertificate(data)
	case s.p12 != "":
		data, err := in.open(s.p12)
		if err != nil {
			return usageError("--p12: %w", err)
		}
		password, err := p.password(in, s.password, c.id)
		if err != nil {
			return err
		}
		own, err := pkcs12.Load(data, password)
		c.key, c.keyErr, c.certificate, c.certErr = own.PrivateKey, err, own.Certificate, nil
		if err != nil {
			c.key, c.certificate = nil, nil
			c.certErr = errors.New("it is in the file that could not be read")
		}
	}
	return nil
}

// password returns the password of a file: what stands in the file name, else the environment's, else usual.
func (p *program) password(in *input, name, usual string) (string, error) {
	if name != "" {
		data, err := in.open(name)
		if err != nil {
			return "", usageError("--password-file: %w", err)
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	if password, ok := p.lookup("WXPAY_KEY_PASSWORD"); ok {
		return password, nil
	}
	return usual, nil
}

// client returns a client of these credentials with a source of platform keys.
func (c *credentials) client(p *program, options ...wxpay.Option) (*wxpay.Client, error) {
	if c.baseURL != "" {
		options = append(options, wxpay.WithBaseURL(c.baseURL))
	}
	merchant := wxpay.Merchant{ID: c.id, Serial: c.serial, PrivateKey: c.key, Certificate: c.certificate, APIv3Key: c.apiv3Key}
	return wxpay.New(merchant, append(options, p.options...)...)
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

// Organizations in the subjects of certificates.
const (
	merchantOrganization = "微信商户系统"
	platformOrganization = "Tenpay.com"
)

// issuedTo names the owner of a certificate by its subject.
func issuedTo(certificate *x509.Certificate) string {
	subject := certificate.Subject
	name := bounded(subject.CommonName)
	switch {
	case slices.Contains(subject.Organization, merchantOrganization):
		return "merchant " + name
	case slices.Contains(subject.Organization, platformOrganization):
		return "the platform (" + name + ")"
	}
	return fmt.Sprintf("%q", name)
}

// plainly puts the text of an error on one line, without the name of the program.
func plainly(err error) string {
	text := strings.TrimPrefix(err.Error(), "wxpay: ")
	text = strings.TrimPrefix(text, apiv3.ErrKey.Error()+": ")
	return printable(strings.ReplaceAll(text, "\n", "; "))
}
