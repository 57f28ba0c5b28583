package cli

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
)

type keysDownloadOptions struct {
	source keySource
	out    string
}

func keysDownloadCommand(run func(context.Context, keysDownloadOptions) error) *cobra.Command {
	o := new(keysDownloadOptions)
	command := &cobra.Command{
		Use:   "download --out DIR",
		Short: "Download the platform's certificates into a folder",
		Long: `Download the platform's certificates into a folder, each as wechatpay_SERIAL.pem. They are decrypted with the APIv3 key,
and the list is verified by the certificate that signed it.

A file is written whole or not at all. One that is there stays if it holds the same certificate or a newer one of the same
serial, or if it holds anything else. Old certificates are not removed.

A merchant who has only the WeChat Pay public key has no certificates: that key is shown in the merchant platform under API
security, and cannot be downloaded.

` + keySourceHelp + `

Exit codes:
  0  the folder holds every certificate that the platform has
  1  the platform refused or has none, the list could not be trusted, or a file could not be written
  2  wrong usage, or credentials that are missing or unusable; nothing was asked
  4  no connection, or it was interrupted
  5  the certificates are there, but the result could not be written out`,
		Example: `  wxpay keys download --out certificates
  wxpay keys download --out certificates --p12 apiclient_cert.p12
  wxpay keys download --out /tmp/certificates --sandbox`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if o.out == "" {
				return usageError("name the folder: --out DIR")
			}
			return run(command.Context(), *o)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.out, "out", "", "`DIR` to write to; it is made if it is missing")
	o.source.flags(flags)
	return command
}

func (p *program) keysDownload(ctx context.Context, o keysDownloadOptions) error {
	c, leave, err := p.credentials(o.source)
	if err != nil {
		return err
	}
	defer leave()
	if err := errors.Join(c.keyErr, c.certErr); err != nil {
		return usageError("%s", plainly(err))
	}
	if c.apiv3Key == "" {
		return usageError("WXPAY_APIV3_KEY is not set: the platform encrypts its certificates with it")
	}
	client, err := c.client(p, c.certificates())
	if err != nil {
		return usageError("%w", err)
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	certificates, broken, err := fetchCertificates(ctx, client, c)
	if err != nil {
		return downloadError(err)
	}

	var out bytes.Buffer
	failures := broken
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return &exitError{exitRefused, fmt.Errorf("the folder: %w", err)}
	}
	for _, certificate := range certificates {
		done, err := keep(o.out, certificate)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		fmt.Fprintf(&out, "%s (%s)\n", oneLine(done), validity(certificate.NotBefore, certificate.NotAfter, time.Now()))
	}
	if err := p.write(&out); err != nil {
		return err
	}
	if len(failures) > 0 {
		for _, failure := range failures {
			p.note("wxpay: %s", plainly(failure))
		}
		return &exitError{code: exitRefused}
	}
	return nil
}

// fetchCertificates returns the platform's certificates. broken tells of entries of the list that could not be read.
func fetchCertificates(ctx context.Context, client *wxpay.Client, c *credentials) (certificates []*x509.Certificate, broken []error, err error) {
	// First by the client, which trusts a list by the rules; with its keys the same list is then verified as any answer.
	if err := client.RefreshKeys(ctx); err != nil {
		return nil, nil, err
	}
	res, err := client.Chain(c.listPath()).Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	return apiv3.OpenCertificates([]byte(c.apiv3Key), res.Raw())
}

// downloadError gives a failure its exit code and, where the client speaks to who writes Go, other words.
func downloadError(err error) error {
	var failure *wxpay.KeysError
	if errors.As(err, &failure) {
		err = failure.Cause
	}
	var call *wxpay.CallError
	switch {
	case errors.Is(err, wxpay.ErrNoCertificates):
		err = errors.New("this merchant has no platform certificates, only the WeChat Pay public key, and there is nothing to download: " +
			"save the key and its id from the merchant platform under API security, and set WXPAY_PUBLIC_KEY and WXPAY_PUBLIC_KEY_ID")
	case errors.Is(err, apiv3.ErrDecrypt):
		err = errors.New("the platform's certificates do not decrypt: set WXPAY_APIV3_KEY to the key set in the merchant platform under API security")
	case errors.As(err, &call) && call.Outcome == wxpay.NotSent:
		return &exitError{exitNotSent, err}
	case errors.Is(err, context.Canceled):
		return &exitError{exitNotSent, fmt.Errorf("interrupted: %w", err)}
	}
	return &exitError{exitRefused, err}
}

// keep writes a certificate into dir, unless the same or a newer one is there, and says what it did.
func keep(dir string, certificate *x509.Certificate) (done string, err error) {
	name := "wechatpay_" + apiv3.Serial(certificate) + ".pem"
	path := filepath.Join(dir, name)
	what := "wrote " + path
	switch data, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	default:
		there, err := apiv3.ParseCertificate(data)
		switch {
		case err != nil:
			return "", fmt.Errorf("%s is in the way, and holds no certificate: move it away", path)
		case there.Equal(certificate):
			return "kept " + path + ", which holds the same", nil
		case apiv3.Serial(there) != apiv3.Serial(certificate):
			return "", fmt.Errorf("%s is in the way, and holds the certificate %s: move it away", path, apiv3.Serial(there))
		case !there.NotAfter.Before(certificate.NotAfter):
			return "kept " + path + ", which holds a newer one", nil
		}
		what = "replaced " + path + ", which was older"
	}
	return what, writeWhole(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
}

// writeWhole writes beside path and renames, so that a reader sees the old file or the new one.
func writeWhole(path string, data []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	// A certificate is public, and whoever verifies may be another user than the one who downloads.
	if err := errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
