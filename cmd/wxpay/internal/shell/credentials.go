package shell

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"github.com/zalando/go-keyring"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/pkcs12"
)

// KeyringService is the service in the system's keyring under which the secrets of this program are.
const KeyringService = "wxpay"

// CredentialsHelp is the text about credentials in the help of commands that call the platform.
const CredentialsHelp = `Credentials come from the environment:
  WXPAY_MCHID           merchant number, or WXPAY_BRAND_ID to call as that brand
  WXPAY_PRIVATE_KEY     private key of the merchant API certificate (apiclient_key.pem)
  WXPAY_CERTIFICATE     that certificate (apiclient_cert.pem), or WXPAY_SERIAL, its serial
  WXPAY_P12             file with both (apiclient_cert.p12), in place of them; its password is WXPAY_KEY_PASSWORD, else
                        the merchant number
  WXPAY_PUBLIC_KEY_ID   id of the WeChat Pay public key
  WXPAY_PUBLIC_KEY      that key (pub_key.pem)
  WXPAY_APIV3_KEY       APIv3 key. Without a public key wxpay fetches the platform's certificates with it;
                        WXPAY_FETCH_CERTIFICATES=true fetches them beside a public key
  WXPAY_OVERSEAS        true for a merchant outside the mainland (optional)
  WXPAY_BASE_URL        another gateway (optional)
A key or certificate is a file's path or its text. A value may be a reference: file:PATH, env:NAME, base64:TEXT, or
keyring:NAME for the system's keyring. The flags --cert, --p12, --password-file and --overseas replace the variables. Without
variables the credentials are those of a profile; "wxpay init" makes one, and "wxpay profiles --help" tells more.`

// CredentialFlags are the flags about credentials.
type CredentialFlags struct {
	Profile  string
	Cert     string // file of the certificate
	P12      string // file of key and certificate
	Password string // file of its password
	Overseas bool
}

// Add adds the flags to those of a command.
func (f *CredentialFlags) Add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Profile, "profile", "", "`NAME` of the credentials in the file of profiles (see wxpay profiles)")
	flags.StringVar(&f.Cert, "cert", "", "`FILE` of the merchant API certificate (apiclient_cert.pem)")
	flags.StringVar(&f.P12, "p12", "", "`FILE` of private key and certificate (apiclient_cert.p12)")
	flags.StringVar(&f.Password, "password-file", "", "`FILE` that contains the password of the .p12 file and nothing else")
	flags.BoolVar(&f.Overseas, "overseas", false, "the merchant is outside the mainland")
}

// Check rejects flags that exclude each other.
func (f *CredentialFlags) Check(sandbox bool) error {
	switch {
	case sandbox && f.Profile+f.Cert+f.P12+f.Password != "":
		return Usage("--sandbox brings its own credentials: leave out --profile, --cert, --p12 and --password-file; to " +
			"use yours with a sandbox, set WXPAY_BASE_URL")
	case f.Cert != "" && f.P12 != "":
		return Usage("--cert and --p12 exclude each other: a .p12 file has its certificate in it")
	}
	return nil
}

// Credentials are the variables that make a client, after the flags and all references.
type Credentials struct {
	sh      *Shell
	profile string // empty for the environment
	values  map[string]string
	faults  map[string]error
	given   map[string]string // the flag or the other variable that gave the value of a variable
}

// Credentials returns the credentials of the environment or of a profile, and of the flags. It fails only for flags that
// cannot be used.
func (sh *Shell) Credentials(flags *CredentialFlags) (*Credentials, error) {
	if err := flags.Check(false); err != nil {
		return nil, err
	}
	profile, values, err := sh.choose(flags.Profile)
	if err != nil {
		return nil, err
	}
	lookup := sh.Lookup
	if profile != "" {
		lookup = func(name string) (string, bool) { text, ok := values[name]; return text, ok }
	}
	c := sh.collect(profile, lookup)
	if overlay, ok := values[variableOverlay]; ok {
		c.values[variableOverlay] = overlay
	}
	if err := c.replace(flags); err != nil {
		return nil, err
	}
	return c, nil
}

// collect reads the variables and what their references stand for.
func (sh *Shell) collect(profile string, lookup func(string) (string, bool)) *Credentials {
	c := &Credentials{sh: sh, profile: profile, values: make(map[string]string), faults: make(map[string]error), given: make(map[string]string)}
	for _, name := range append(slices.Clone(variablesOfClient), variableP12, variablePassword) {
		text, set := lookup(name)
		if !set {
			continue
		}
		value, err := sh.resolve(text, slices.Contains(areKeys, name))
		if c.values[name] = value; err != nil {
			c.faults[name] = err
		}
	}
	return c
}

// replace puts the flags in place of the variables, and completes them.
func (c *Credentials) replace(flags *CredentialFlags) error {
	if flags.Overseas {
		c.values["WXPAY_OVERSEAS"], c.given["WXPAY_OVERSEAS"] = "true", "--overseas"
	}
	in := NewInput(c.sh)
	if flags.Password != "" {
		data, err := in.Open(flags.Password)
		if err != nil {
			return Usage("--password-file: %w", err)
		}
		c.values[variablePassword] = strings.TrimRight(string(data), "\r\n")
	}
	switch {
	case flags.Cert != "":
		data, err := in.Open(flags.Cert)
		if err != nil {
			return Usage("--cert: %w", err)
		}
		c.given["WXPAY_CERTIFICATE"] = "--cert"
		certificate, err := apiv3.ParseCertificate(data)
		if err != nil {
			c.faults["WXPAY_CERTIFICATE"] = err
			break
		}
		c.set("WXPAY_CERTIFICATE", block("CERTIFICATE", certificate.Raw))
	case flags.P12 != "":
		data, err := in.Open(flags.P12)
		if err != nil {
			return Usage("--p12: %w", err)
		}
		c.open(data, "--p12")
	case flags.Password != "" && c.Get(variableP12) == "":
		return Usage("--password-file is for --p12, which is not given")
	case c.Get(variableP12) != "":
		c.openP12()
	}
	if c.Get("WXPAY_FETCH_CERTIFICATES") == "" && c.Get("WXPAY_PUBLIC_KEY_ID")+c.Get("WXPAY_PUBLIC_KEY") == "" &&
		c.Get("WXPAY_APIV3_KEY") != "" && c.Get("WXPAY_BRAND_ID") == "" {
		c.values["WXPAY_FETCH_CERTIFICATES"] = "true" // else no response can be verified
	}
	return nil
}

// openP12 takes key and certificate from the file of the variable.
func (c *Credentials) openP12() {
	if c.Get("WXPAY_PRIVATE_KEY")+c.Get("WXPAY_CERTIFICATE") != "" {
		c.faults[variableP12] = Say("it is set beside WXPAY_PRIVATE_KEY or WXPAY_CERTIFICATE: leave one out")
		return
	}
	data, err := os.ReadFile(c.Get(variableP12))
	if err != nil {
		c.faults[variableP12] = err
		return
	}
	c.open(data, variableP12)
}

func (c *Credentials) set(name, value string) {
	c.values[name] = value
	delete(c.faults, name)
}

// open takes key and certificate from the .p12 file that a flag or a variable gave.
func (c *Credentials) open(data []byte, by string) {
	c.given["WXPAY_PRIVATE_KEY"], c.given["WXPAY_CERTIFICATE"] = by, by
	password, set := c.values[variablePassword]
	if !set {
		password = c.Get("WXPAY_MCHID")
	}
	own, err := pkcs12.Load(data, password)
	var der []byte
	if err == nil {
		der, err = x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	}
	if err != nil {
		c.faults["WXPAY_PRIVATE_KEY"], c.faults["WXPAY_CERTIFICATE"] = err, err
		return
	}
	c.set("WXPAY_PRIVATE_KEY", block("PRIVATE KEY", der))
	c.set("WXPAY_CERTIFICATE", block("CERTIFICATE", own.Certificate.Raw))
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// Lookup is os.LookupEnv of the credentials, and of the environment for other variables.
func (c *Credentials) Lookup(name string) (string, bool) {
	if value, ok := c.values[name]; ok {
		return value, true
	}
	if slices.Contains(variablesOfClient, name) {
		return "", false
	}
	return c.sh.Lookup(name)
}

// Get is Lookup for a variable that is empty if it is not set.
func (c *Credentials) Get(name string) string { return c.values[name] }

// Fault returns the reason why a variable has no value although it, or a flag in its place, is set.
func (c *Credentials) Fault(name string) error {
	if err := c.faults[name]; err != nil && c.given[name] != "" {
		return Say("%s: %w", c.given[name], Plainly(err))
	}
	return c.faults[name]
}

// Err returns all faults on one line, or nil; but not those of the variables that are named.
func (c *Credentials) Err(but ...string) error {
	var faults error
	told := make(map[string]bool)
	for _, name := range append(slices.Clone(variablesOfClient), variableP12, variablePassword) {
		by := cmp.Or(c.given[name], name)
		if err := c.faults[name]; err != nil && !slices.Contains(but, name) && !told[by] {
			told[by] = true // a file may have two of them
			fault := Say("%s: %w", by, Plainly(err))
			if faults != nil {
				fault = Say("%w; %w", faults, fault)
			}
			faults = fault
		}
	}
	return faults
}

// Explain says where the credentials are from, in an error about them: it names the keys of a profile in place of the
// variables.
func (c *Credentials) Explain(err error) error {
	if c.profile == "" {
		return err
	}
	return Say("the profile %s: %w", Bounded(c.profile), inProfile(err, c.sh.ProfilesPath()))
}

// Named returns an error that names the keys of the profile in place of the variables, if the credentials are from one.
func (c *Credentials) Named(err error) error {
	if c.profile == "" {
		return err
	}
	return inProfile(err, c.sh.ProfilesPath())
}

// Bool returns a variable that is true or false; false if it is not set.
func (c *Credentials) Bool(name string) (bool, error) {
	text := c.Get(name)
	if text == "" {
		return false, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, Say("%s is %q, not true or false", name, Bounded(text))
	}
	return value, nil
}

// Resolve returns the value that a reference stands for, or text itself.
func (sh *Shell) Resolve(text string) (string, error) { return sh.resolve(text, false) }

// resolve returns the value that a reference stands for, or text itself. For a key that is the file's path, or the text.
func (sh *Shell) resolve(text string, isKey bool) (string, error) {
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		if isKey {
			return path, nil
		}
		data, err := os.ReadFile(path)
		return string(bytes.TrimRight(data, "\r\n")), err
	}
	if name, ok := strings.CutPrefix(text, "env:"); ok {
		value := sh.Getenv(name)
		if value == "" {
			return "", Say("the variable %s is not set in the environment", Bounded(name))
		}
		return value, nil
	}
	if name, ok := strings.CutPrefix(text, "keyring:"); ok {
		value, err := keyring.Get(KeyringService, name)
		if err != nil {
			return "", Say("the system's keyring gives no secret %s of %s: %w", Bounded(name), KeyringService, err)
		}
		return value, nil
	}
	if encoded, ok := strings.CutPrefix(text, "base64:"); ok {
		data, err := base64.StdEncoding.DecodeString(encoded)
		switch {
		case err != nil:
			return "", Say("the text after base64: is not base64")
		case isKey:
			return encoded, nil
		}
		return string(data), nil
	}
	return text, nil
}
