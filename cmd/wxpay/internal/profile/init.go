package profile

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/zalando/go-keyring"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/contrib/pkcs12"
)

// Init returns wxpay init.
func Init(sh *shell.Shell) *cobra.Command {
	o := new(initOptions)
	command := &cobra.Command{
		Use:   "init [NAME]",
		Short: "Ask for the credentials of a merchant, check them, and keep them as a profile",
		Long: `Ask for the credentials of a merchant, check them, and add them to the file of profiles. NAME is that of the profile,
"default" if it is not given. The file keeps the paths of keys and certificates, and where the APIv3 key is: a variable, a
file, or the system's keyring. It has the APIv3 key itself only if you say so.

Each answer is checked at once, without the platform. If you wish, the platform is then asked as well: wxpay signs, encrypts,
verifies and decrypts with each key (v3/security/echo), which changes nothing.

` + shell.ProfilesHelp + `

Exit codes:
  0  the profile is in the file
  2  wrong usage, or the input ended; nothing was written
  4  an interrupt came first; nothing was written
  5  the file could not be written`,
		Example: `  wxpay init
  wxpay init shop-b --overseas`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			o.name = shell.DefaultProfile
			if len(args) == 1 {
				o.name = args[0]
			}
			return o.run(command.Context(), sh)
		},
	}
	command.Flags().BoolVar(&o.profile.Overseas, "overseas", false, "the merchant is outside the mainland")
	command.Flags().StringVar(&o.profile.BaseURL, "base-url", "", "another gateway, such as the `URL` of a sandbox")
	return command
}

type initOptions struct {
	name    string
	profile shell.Profile
	ask     asker

	accounts []string // of the keyring, until the profile is written
}

// names are the names that a profile may have.
var names = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (o *initOptions) run(ctx context.Context, sh *shell.Shell) error {
	path := sh.ProfilesPath()
	profiles, err := sh.Profiles()
	switch {
	case !names.MatchString(o.name):
		return shell.Usage("the name %q has other characters than letters, digits, - and _", shell.Bounded(o.name))
	case path == "" || err != nil && !errors.Is(err, fs.ErrNotExist):
		return shell.Usage("%w", err)
	}
	if _, taken := profiles[o.name]; taken {
		return shell.Usage("there is a profile %s already: give another name, or remove it from %s", o.name, path)
	}
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	o.ask = asker{sh, ctx}
	defer o.forget()
	sh.Note("The profile %s of %s. The merchant platform shows numbers and keys under API security.", o.name, path)
	for _, step := range []func() error{o.askMerchant, o.askPrivateKey, o.askPlatformKey, o.askAPIv3Key} {
		if err := step(); err != nil {
			return err
		}
	}
	client, err := sh.ClientOf(o.name, o.profile)
	if err != nil {
		return shell.Usage("%w; nothing was written", err)
	}
	defer client.Close()
	online, err := o.ask.confirm(sh.Words("Ask the platform whether the keys work?"), true)
	if err != nil {
		return err
	}
	if online && !verify(ctx, sh, client) {
		keep, err := o.ask.confirm(sh.Words("Keep the profile all the same?"), false)
		if err != nil {
			return err
		}
		if !keep {
			return shell.Usage("nothing was written")
		}
	}
	if err := o.write(sh, path); err != nil {
		return &shell.ExitError{Code: shell.ExitConfirmed, Err: shell.Say("the file of profiles could not be written: %w", err)}
	}
	sh.Note("The profile %s is in %s, which only you can read. To use it: %s", o.name, path, o.usage())
	return nil
}

func (o *initOptions) usage() string {
	if o.name == shell.DefaultProfile {
		return "wxpay keys check"
	}
	return "wxpay keys check --profile " + o.name
}

// verify asks the platform about each key, and tells whether all of them work.
func verify(ctx context.Context, sh *shell.Shell, client *wxpay.Client) bool {
	checks, err := client.VerifyKeys(ctx)
	for _, check := range checks {
		mark, text := shell.Paint(false).Mark(check.Err == nil), shell.Say("signing, encrypting, verifying and decrypting")
		if check.Err != nil {
			text = shell.Plainly(check.Err)
		}
		sh.Note("%s %s: %s", mark, shell.Bounded(check.Serial), text)
	}
	if err != nil && len(checks) == 0 {
		sh.Note("%s %s", shell.Paint(false).Mark(false), shell.Plainly(err))
	}
	return err == nil
}

func (o *initOptions) askMerchant() (err error) {
	o.profile.MchID, err = o.ask.ask(o.ask.sh.Words("Merchant number (mchid)"), "", func(text string) error {
		if text == "" || strings.Trim(text, "0123456789") != "" {
			return shell.Say("it is made of digits, such as 1900000109")
		}
		return nil
	})
	return err
}

// askPrivateKey asks for the merchant's key and certificate.
func (o *initOptions) askPrivateKey() error {
	var key crypto.Signer
	var locked []byte
	path, err := o.ask.ask(o.ask.sh.Words("File of the private key (apiclient_key.pem, or apiclient_cert.p12)"), besides(".", "apiclient_key.pem"),
		func(text string) error {
			data, err := os.ReadFile(o.ask.sh.AtHome(text))
			if err != nil {
				return err
			}
			if key, err = apiv3.ParsePrivateKey(data); err == nil {
				return apiv3.RSA().CheckPublicKey(key.Public())
			}
			switch _, failure := pkcs12.Load(data, o.profile.MchID); {
			case failure == nil:
				return nil
			case errors.Is(failure, pkcs12.ErrPassword):
				locked = data
				return nil
			}
			return err
		})
	if err != nil {
		return err
	}
	path = o.absolute(path)
	if key != nil {
		o.profile.PrivateKey = path
		return o.askCertificate(key, besides(path, "apiclient_cert.pem"))
	}
	o.profile.P12 = path
	if locked == nil {
		return nil
	}
	password, err := o.ask.askSecret(o.ask.sh.Words("Password of this file (not shown)"), func(text string) error {
		_, err := pkcs12.Load(locked, text)
		return err
	})
	if err != nil {
		return err
	}
	o.profile.Password, err = o.keep(shell.Text("password"), "p12_password", password)
	return err
}

func (o *initOptions) askCertificate(key crypto.Signer, usual string) (err error) {
	o.profile.Certificate, err = o.ask.ask(o.ask.sh.Words("File of its certificate (apiclient_cert.pem)"), usual, func(text string) error {
		data, err := os.ReadFile(o.ask.sh.AtHome(text))
		if err != nil {
			return err
		}
		certificate, err := apiv3.ParseCertificate(data)
		if err != nil {
			return err
		}
		half, ok := certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		switch {
		case !ok || !half.Equal(key.Public()):
			return shell.Say("the private key does not belong to it: take the two that were made together")
		case certificate.Subject.CommonName != o.profile.MchID:
			return shell.Say("it was issued to %s and not to %s", shell.Bounded(certificate.Subject.CommonName), o.profile.MchID)
		}
		return nil
	})
	o.profile.Certificate = o.absolute(o.profile.Certificate)
	return err
}

// askAPIv3Key asks where the APIv3 key is, or for the key itself.
func (o *initOptions) askAPIv3Key() error {
	where, err := o.ask.ask(o.ask.sh.Words("Where is the APIv3 key? env:NAME, file:PATH, or empty to type it"), "", func(text string) error {
		if text == "" {
			return nil
		}
		if !strings.HasPrefix(text, "env:") && !strings.HasPrefix(text, "file:") {
			return shell.Say("it is neither env:NAME nor file:PATH; leave it empty to type the key")
		}
		value, err := o.ask.sh.Resolve(text)
		if err == nil {
			err = apiv3.CheckKey([]byte(value))
		}
		return err
	})
	if err != nil {
		return err
	}
	if path, ok := strings.CutPrefix(where, "file:"); ok {
		where = "file:" + o.absolute(path)
	}
	if o.profile.APIv3Key = where; where != "" {
		return nil
	}
	question := o.ask.sh.Words("APIv3 key (not shown)")
	if o.profile.PublicKeyID != "" {
		question = o.ask.sh.Words("APIv3 key (not shown; empty to leave it out, then notifications cannot be read)")
	}
	key, err := o.ask.askSecret(question, func(text string) error {
		if text == "" && o.profile.PublicKeyID != "" {
			return nil
		}
		return apiv3.CheckKey([]byte(text))
	})
	if err != nil || key == "" {
		return err
	}
	o.profile.APIv3Key, err = o.keep(shell.Text("APIv3 key"), "apiv3_key", key)
	return err
}

// keep asks where a secret is kept, and returns what the profile has of it.
func (o *initOptions) keep(what, key, secret string) (string, error) {
	sh := o.ask.sh
	question := sh.Words("Keep the %s in the system's keyring (k), or in the file, which only you can read (f)?", sh.Words(what))
	place, err := o.ask.ask(question, "k",
		func(text string) error {
			switch text {
			case "k":
				account := o.name + "/" + key
				if err := keyring.Set(shell.KeyringService, account, secret); err != nil {
					return shell.Say("there is no keyring here (%w): answer f, or begin again with env:NAME or file:PATH", err)
				}
				o.accounts = append(o.accounts, account)
				return nil
			case "f":
				return nil
			}
			return shell.Say("answer k or f")
		})
	if place == "k" {
		return "keyring:" + o.name + "/" + key, err
	}
	return secret, err
}

// forget removes what the keyring got for a profile that was not written.
func (o *initOptions) forget() {
	for _, account := range o.accounts {
		_ = keyring.Delete(shell.KeyringService, account)
	}
}

// askPlatformKey asks for the public key, which not every merchant has.
func (o *initOptions) askPlatformKey() (err error) {
	o.profile.PublicKeyID, err = o.ask.ask(o.ask.sh.Words("Id of the WeChat Pay public key, PUB_KEY_ID_… (empty if the merchant has platform certificates only)"), "",
		func(text string) error {
			if text != "" && !strings.HasPrefix(text, "PUB_KEY_ID_") {
				return shell.Say("it begins with PUB_KEY_ID_")
			}
			return nil
		})
	if err != nil || o.profile.PublicKeyID == "" {
		return err
	}
	o.profile.PublicKey, err = o.ask.ask(o.ask.sh.Words("File of that key"), "", func(text string) error {
		key, err := wxpay.LoadPublicKey(o.ask.sh.AtHome(text))
		if err == nil {
			err = apiv3.RSA().CheckPublicKey(key)
		}
		return err
	})
	o.profile.PublicKey = o.absolute(o.profile.PublicKey)
	return err
}

// absolute returns the path of a file as the profile keeps it.
func (o *initOptions) absolute(path string) string {
	if full, err := filepath.Abs(o.ask.sh.AtHome(path)); err == nil && path != "" {
		return full
	}
	return path
}

// besides returns the path of a file of a name in the folder of another, if there is one.
func besides(path, name string) string {
	beside := filepath.Join(filepath.Dir(path), name)
	if _, err := os.Stat(beside); err != nil {
		return ""
	}
	return beside
}

// write adds the profile to the file.
func (o *initOptions) write(sh *shell.Shell, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(text) > 0 {
		text = append([]byte(strings.TrimRight(string(text), "\n")), "\n\n"...)
	}
	text = fmt.Appendf(text, "[%s]\n", o.name)
	keys, values := o.profile.Set()
	for _, key := range keys {
		line, err := toml.Marshal(map[string]any{key: values[key]})
		if err != nil {
			return err
		}
		text = append(text, line...)
	}
	if err := shell.ReplaceFile(path, text); err != nil {
		return err
	}
	o.accounts = nil
	return nil
}
