package keys

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type downloadOptions struct {
	source source
	out    string
}

func downloadCommand(sh *shell.Shell) *cobra.Command {
	o := new(downloadOptions)
	command := &cobra.Command{
		Use:   "download --output DIR",
		Short: "Download the platform's certificates into a folder",
		Long: `Download the platform's certificates into a folder, each as wechatpay_SERIAL.pem. wxpay decrypts them with the APIv3 key,
and verifies the list with the certificate that signed it.

wxpay writes a file whole or not at all. It keeps a file that contains the same certificate or a newer one of the same
serial, and a file that contains anything else. It does not remove old certificates.

A merchant who has only the WeChat Pay public key has no certificates: the merchant platform shows that key under API
security, and nobody can download it.

` + shell.CredentialsHelp + `

Exit codes:
  0  the folder contains every certificate that the platform has
  1  the platform rejected the request or has none, the list could not be verified, or a file could not be written
  2  wrong usage, or credentials that are missing or unusable; nothing was sent
  4  there was no connection, or an interrupt ended it
  5  the certificates are there, but the result could not be written`,
		Example: `  wxpay keys download --output certificates
  wxpay keys download --output certificates --p12 apiclient_cert.p12
  wxpay keys download --output /tmp/certificates --sandbox`,
		Args: shell.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if o.out == "" {
				return shell.Usage("name the folder: --output DIR")
			}
			return o.run(command.Context(), sh)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.out, "output", "o", "", "`DIR` to write to; wxpay makes it if it is missing")
	o.source.flags(flags)
	return command
}

func (o *downloadOptions) run(ctx context.Context, sh *shell.Shell) error {
	c, leave, err := readSource(sh, o.source)
	if err != nil {
		return err
	}
	defer leave()
	if c.brand {
		return shell.Usage("%w", c.named(shell.Say("WXPAY_BRAND_ID is set: there are no platform certificates for brands, who have the public key")))
	}
	unusable := errors.Join(c.keyErr, c.certErr)
	if c.keyErr != nil && c.certErr != nil && c.keyErr.Error() == c.certErr.Error() {
		unusable = c.keyErr // of one .p12 file
	}
	if unusable != nil {
		return shell.Usage("%s", shell.Plainly(unusable))
	}
	if c.apiv3Key == "" {
		return shell.Usage("%w", c.named(shell.Say("WXPAY_APIV3_KEY is not set: the platform encrypts its certificates with it")))
	}
	client, err := c.client(sh, c.certificates(), wxpay.WithTimeout(o.source.timeout), wxpay.WithAttemptTimeout(o.source.timeout))
	if err != nil {
		return shell.Usage("%w", err)
	}
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	certificates, broken, err := fetchCertificates(ctx, client, c)
	if err != nil {
		return downloadError(err)
	}

	var out bytes.Buffer
	failures := broken
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return &shell.ExitError{Code: shell.ExitRejected, Err: shell.Say("the folder: %w", err)}
	}
	for _, certificate := range certificates {
		done, err := keep(o.out, certificate)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		valid := validity(certificate.NotBefore, certificate.NotAfter, time.Now())
		fmt.Fprintf(&out, "%s (%s)\n", shell.OneLine(sh.ErrorText(done)), sh.ErrorText(valid))
	}
	if err := sh.Write(out.Bytes()); err != nil {
		return err
	}
	if len(failures) > 0 {
		for _, failure := range failures {
			sh.Note("wxpay: %s", shell.Plainly(failure))
		}
		return shell.Exit(shell.ExitRejected)
	}
	return nil
}

// fetchCertificates returns the platform's certificates. broken are the errors of entries that could not be read.
func fetchCertificates(ctx context.Context, client *wxpay.Client, c *credentials) (certificates []*x509.Certificate,
	broken []error, err error) {
	// First by the client, which verifies a list by its rules. With those keys the same list is then any response.
	if err := client.RefreshKeys(ctx); err != nil {
		return nil, nil, err
	}
	res, err := client.Chain(c.listPath()).Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	return apiv3.OpenCertificates([]byte(c.apiv3Key), res.Raw())
}

// downloadError gives a failure its exit code, and names variables in place of Go options.
func downloadError(err error) error {
	var failure *wxpay.KeysError
	if errors.As(err, &failure) {
		err = failure.Cause
	}
	var call *wxpay.CallError
	switch {
	case errors.Is(err, wxpay.ErrNoCertificates):
		err = shell.Say("this merchant has no platform certificates, only the WeChat Pay public key, and there is " +
			"nothing to download: " +
			"save the key and its id from the merchant platform under API security, and set WXPAY_PUBLIC_KEY and " +
			"WXPAY_PUBLIC_KEY_ID")
	case errors.Is(err, apiv3.ErrDecrypt):
		err = shell.Say("the platform's certificates do not decrypt: set WXPAY_APIV3_KEY to the key set in the " +
			"merchant platform under API security")
	case errors.As(err, &call) && call.Outcome == wxpay.NotSent:
		return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
	case errors.Is(err, context.Canceled):
		return &shell.ExitError{Code: shell.ExitNotSent, Err: shell.Say("interrupted: %w", err)}
	}
	return &shell.ExitError{Code: shell.ExitRejected, Err: err}
}

// keep writes a certificate into dir, unless the same or a newer one is there, and returns what it did.
func keep(dir string, certificate *x509.Certificate) (done, err error) {
	name := "wechatpay_" + apiv3.Serial(certificate) + ".pem"
	path := filepath.Join(dir, name)
	what := shell.Say("wrote %s", path)
	switch data, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		there, err := apiv3.ParseCertificate(data)
		switch {
		case err != nil:
			return nil, shell.Say("%s is in the way, and contains no certificate: move it away", path)
		case there.Equal(certificate):
			return shell.Say("kept %s, which is the same", path), nil
		case apiv3.Serial(there) != apiv3.Serial(certificate):
			return nil, shell.Say("%s is in the way, and contains the certificate %s: move it away", path, apiv3.Serial(there))
		case !there.NotAfter.Before(certificate.NotAfter):
			return shell.Say("kept %s, which is newer", path), nil
		}
		what = shell.Say("replaced %s, which was older", path)
	}
	if err := shell.ReplaceFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})); err != nil {
		return nil, shell.Say("%s cannot be written: %w", path, err)
	}
	return what, os.Chmod(path, 0o644) // a certificate is public, and another user may verify with it
}
