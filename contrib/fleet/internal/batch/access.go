package batch

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// accessOptions say how a server and this program prove to each other who they are.
type accessOptions struct {
	creds, nkey       string
	ca, cert, certKey string
}

func (o *accessOptions) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.creds, "creds", "", "the `FILE` with the credentials for it (or WXPAY_BATCH_CREDS, with what stands in one)")
	flags.StringVar(&o.nkey, "nkey", "", "the `FILE` with the seed of an nkey for it (or WXPAY_BATCH_NKEY, with the seed)")
	flags.StringVar(&o.ca, "nats-ca", "", "the `FILE` with the certificates that its certificate is checked against (default: the system's)")
	flags.StringVar(&o.cert, "nats-cert", "", "the `FILE` with a client certificate for it")
	flags.StringVar(&o.certKey, "nats-key", "", "the `FILE` with the key of that certificate")
}

// access reads what a server is shown and checked against, before it is asked.
func (p *program) access(o accessOptions) (options []fleet.ConnectOption, err error) {
	switch {
	case o.creds != "" && o.nkey != "":
		return nil, usageError("--creds and --nkey exclude each other")
	case (o.cert == "") != (o.certKey == ""):
		return nil, usageError("--nats-cert and --nats-key belong together")
	}
	add := func(option nats.Option) { options = append(options, fleet.WithConnection(option)) }
	creds, err := p.secret("--creds", o.creds, "WXPAY_BATCH_CREDS")
	if err != nil {
		return nil, err
	}
	seed, err := p.secret("--nkey", o.nkey, "WXPAY_BATCH_NKEY")
	if err != nil {
		return nil, err
	}
	switch {
	case creds != "" && seed != "" && o.creds+o.nkey == "":
		return nil, usageError("WXPAY_BATCH_CREDS and WXPAY_BATCH_NKEY exclude each other")
	case creds != "" && o.nkey == "":
		if _, err := nkeys.ParseDecoratedUserNKey([]byte(creds)); err != nil {
			return nil, usageError("the credentials for the server: there is no user's key in them")
		}
		add(nats.UserCredentialBytes([]byte(creds)))
	case seed != "":
		pair, err := nkeys.FromSeed([]byte(strings.TrimSpace(seed)))
		if err != nil {
			return nil, usageError("the nkey for the server: it is no seed, which begins with SU")
		}
		public, err := pair.PublicKey()
		if err != nil {
			return nil, usageError("the nkey for the server: %w", err)
		}
		add(nats.Nkey(public, pair.Sign))
	}
	if o.ca != "" {
		text, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, usageError("--nats-ca: %w", err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(text) {
			return nil, usageError("--nats-ca: there is no certificate in %s", o.ca)
		}
		add(nats.RootCAs(o.ca))
	}
	if o.cert != "" {
		if _, err := tls.LoadX509KeyPair(o.cert, o.certKey); err != nil {
			return nil, usageError("--nats-cert and --nats-key: %w", err)
		}
		add(nats.ClientCert(o.cert, o.certKey))
	}
	return options, nil
}

// secret reads what stands in the file that a flag names, or else in a variable.
func (p *program) secret(flag, path, variable string) (string, error) {
	if path == "" {
		text, _ := p.lookup(variable)
		return text, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", usageError("%s: %w", flag, err)
	}
	return string(text), nil
}
