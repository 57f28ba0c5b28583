package keys

import (
	"bytes"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type showOptions struct {
	files    []string // - for stdin
	password string   // file of it
	json     bool
}

func showCommand(sh *shell.Shell) *cobra.Command {
	o := new(showOptions)
	command := &cobra.Command{
		Use:   "show FILE...",
		Short: "Describe the keys and certificates in files",
		Long: `Describe the keys and certificates in files: the kind, the serial, the owner and the validity of a certificate, the size
of the key, and a fingerprint. FILE is PEM, DER or .p12, or - for stdin. wxpay never prints a key itself.

The fingerprint is the SHA-256 of the public key (SubjectPublicKeyInfo) in hex. A private key, its certificate and its
public key have the same one, so it shows which files belong together.

The password of a .p12 file or an encrypted private key is the content of --password-file, else WXPAY_KEY_PASSWORD, else
WXPAY_MCHID, for the password of apiclient_cert.p12 is the merchant number.

Exit codes:
  0  everything is shown
  1  a file could not be decrypted, is damaged, or contains no key or certificate
  2  wrong usage, or a file that cannot be read; nothing is shown
  5  the result could not be written`,
		Example: `  wxpay keys show apiclient_key.pem apiclient_cert.pem
  WXPAY_MCHID=1900000109 wxpay keys show apiclient_cert.p12
  wxpay keys show pub_key.pem --format json | jq -r '.[].keys[].fingerprint'`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return shell.Usage("the file is missing: give one or several, such as apiclient_cert.pem, or -")
			}
			o.files = args
			return o.run(sh)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.password, "password-file", "", "`FILE` that contains the password and nothing else")
	shell.FormatFlag(command, &o.json)
	return command
}

func (o *showOptions) run(sh *shell.Shell) error {
	in := shell.NewInput(sh)
	password, err := readPassword(sh, in, o.password, sh.Getenv("WXPAY_MCHID"))
	if err != nil {
		return err
	}
	files, complete := make([]keyFile, len(o.files)), true
	for i, name := range o.files {
		data, err := in.Open(name)
		if err != nil {
			return shell.Usage("%w", err)
		}
		files[i] = keyFile{File: name, Keys: describe(data, password)}
		for _, key := range files[i].Keys {
			complete = complete && key.Error == nil
		}
	}
	if err := o.print(sh, files); err != nil {
		return err
	}
	if !complete {
		return shell.Exit(shell.ExitRejected)
	}
	return nil
}

func (o *showOptions) print(sh *shell.Shell, files []keyFile) error {
	if o.json {
		return sh.WriteJSON(files)
	}
	var out bytes.Buffer
	for _, file := range files {
		file.print(sh, &out, time.Now())
	}
	return sh.Write(out.Bytes())
}

func (f *keyFile) print(sh *shell.Shell, out *bytes.Buffer, now time.Time) {
	c := sh.Colours()
	for _, key := range f.Keys {
		fmt.Fprintf(out, "%s: %s\n", c.Bold(shell.OneLine(f.File)), sh.Words(key.Kind))
		row := func(name, text string) {
			if text != "" {
				fmt.Fprintf(out, "  %s  %s\n", shell.Pad(name, 11), text)
			}
		}
		if key.Error != nil {
			row(sh.Words("problem"), c.Mark(false)+" "+sh.ErrorText(key.Error))
		}
		row(sh.Words("serial"), key.Serial)
		if key.Owner != nil {
			row(sh.Words("issued to"), sh.ErrorText(key.Owner))
		}
		if key.NotAfter != nil {
			row(sh.Words("valid"), sh.ErrorText(validity(*key.NotBefore, *key.NotAfter, now)))
		}
		if key.Bits > 0 {
			row(sh.Words("key"), sh.Words("%s, %d bits", key.Algorithm, key.Bits))
		} else {
			row(sh.Words("key"), key.Algorithm)
		}
		row(sh.Words("fingerprint"), key.Fingerprint)
	}
}
