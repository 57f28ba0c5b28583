package webhook

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type verifyOptions struct {
	file         string // - for stdin
	at           time.Time
	certificates []string
	show         bool
}

func verifyCommand(sh *shell.Shell) *cobra.Command {
	o, at := new(verifyOptions), ""
	command := &cobra.Command{
		Use:   "verify FILE",
		Short: "Verify a saved notification, step by step",
		Long: `Verify a saved notification, step by step: the headers, the window of five minutes, the key that it names, the signature,
the envelope, the decryption, and the kind of event. FILE is - for stdin.

FILE contains one of
  an HTTP request   a request line (may be missing), headers, an empty line, the body. The body ends where Content-Length
                    says; without that header, line breaks at the end of the file are tried both ways.
  JSON              {"headers": {"Wechatpay-Serial": "…", …}, "body": "…"}; a value may be an array of texts. The body is
                    the text that was received. If it was saved as an object, its bytes are taken as they are.
A body in base64, as API gateways pass it on, is decoded first; isBase64Encoded and multiValueHeaders are understood.
The signature covers every byte of the body. A body that was parsed and printed again, re-encoded, or cut does not match.

Keys come from the environment:
  WXPAY_APIV3_KEY                           APIv3 key
  WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY  the WeChat Pay public key: a file's path or the PEM text
  WXPAY_PRIVATE_KEY                         decrypts fields that are encrypted for the merchant (optional)
--certificate gives a platform certificate, with or instead of the public key.

A saved notification is nearly always too old for the window: --at verifies it as of an earlier time. The result has
names, numbers of bytes, serials and the event's id only. --show prints the decrypted resource of a valid notification to
stdout, and then the steps go to stderr.

Exit codes:
  0  it is valid
  1  it is not valid
  2  nothing was checked: wrong usage, an unreadable file, or keys that are missing or unusable
  5  it is valid, but the result could not be written`,
		Example: `  wxpay webhook verify notification.http
  wxpay webhook verify notification.json --at 2026-11-23T10:00:00+08:00 --certificate wechatpay_4D2A.pem
  wxpay webhook verify --show - < notification.http | jq .amount`,
		RunE: func(_ *cobra.Command, args []string) (err error) {
			switch {
			case len(args) == 0:
				return shell.Usage("the file is missing: give the file with headers and body, or -")
			case len(args) > 1:
				return shell.Usage("there are %d files, give one at a time", len(args))
			}
			o.file = args[0]
			if at != "" {
				if o.at, err = parseTime(at); err != nil {
					return err
				}
			}
			return o.run(sh)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&at, "at", "", "verify as of `TIME`, such as 2026-11-23T10:00:00+08:00, or seconds or milliseconds since 1970")
	flags.StringArrayVar(&o.certificates, "certificate", nil, "`FILE` of a platform certificate, PEM or DER (repeatable)")
	flags.BoolVar(&o.show, "show", false, "print the decrypted resource")
	return command
}

// parseTime reads a time as RFC 3339, or as seconds or milliseconds since 1970, which have 10 and 13 digits from 2001 to
// 2286.
func parseTime(text string) (time.Time, error) {
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		switch len(text) {
		case 10:
			return time.Unix(number, 0), nil
		case 13:
			return time.UnixMilli(number), nil
		}
		return time.Time{}, shell.Usage("--at %s has %d digits: seconds since 1970 have 10, milliseconds 13", text, len(text))
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, shell.Usage("--at %q is neither of the form 2026-11-23T10:00:00+08:00 nor seconds or milliseconds since 1970",
			text)
	}
	return t, nil
}

func (o *verifyOptions) run(sh *shell.Shell) error {
	v, err := newVerifier(sh, o.at, o.certificates)
	if err != nil {
		return err
	}
	data, err := shell.NewInput(sh).Open(o.file)
	if err != nil {
		return shell.Usage("the notification: %w", err)
	}
	saved, err := readNotification(data)
	if err != nil {
		return shell.Usage("the notification: %w. See the two forms in the help.", err)
	}
	event := v.check(saved)

	var report, resource bytes.Buffer
	if o.show {
		v.write(sh, &report, false)
		sh.Note("%s", strings.TrimSuffix(report.String(), "\n"))
		if event != nil {
			sh.AppendBody(&resource, event.Resource())
		}
		err = sh.WriteForeign(resource.Bytes())
	} else {
		v.write(sh, &report, sh.Colours())
		err = sh.Write(report.Bytes())
	}
	if err != nil {
		return err
	}
	if event == nil {
		return shell.Exit(shell.ExitRejected)
	}
	return nil
}
