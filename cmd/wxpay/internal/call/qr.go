package call

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/qrcode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// QR returns wxpay qr.
func QR(sh *shell.Shell) *cobra.Command {
	out := ""
	command := &cobra.Command{
		Use:   "qr TEXT",
		Short: "Draw a QR code in the terminal, or as PNG",
		Long: `Draw a QR code of a text, such as the code_url of a Native order, in the terminal, or with -o as a PNG image of 8 pixels a
module. "wxpay call --qr" draws that of its response.`,
		Example: `  wxpay qr 'weixin://wxpay/bizpayurl?pr=V6X2TYEXIzz'
  wxpay qr "$code_url" -o order.png`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return shell.Usage("give one text, in quotes")
			}
			code, err := qrcode.New(args[0])
			if err != nil {
				return shell.Usage("%w", err)
			}
			if out == "" {
				return sh.Write([]byte(code.Text(bool(sh.Colours()))))
			}
			return saveQR(code, out)
		},
	}
	command.Flags().StringVarP(&out, "output", "o", "", "write the PNG image to `FILE`, which must not exist")
	return command
}

func saveQR(code *qrcode.Code, path string) error {
	image, err := code.PNG()
	if err != nil {
		return err
	}
	file, err := shell.NewFile(path, false)
	if err == nil {
		defer file.Abandon()
		if _, err = file.Write(image); err == nil {
			err = file.Commit()
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return shell.Usage("%s cannot be written: %w", path, err)
	}
	if errors.Is(err, fs.ErrExist) {
		return shell.Usage("%s exists already: give another name, or remove it", path)
	}
	if err != nil {
		return &shell.ExitError{Code: shell.ExitConfirmed, Err: shell.Say("%s could not be written: %w", path, err)}
	}
	return nil
}

// drawQR draws the code_url of a response on stderr.
func drawQR(sh *shell.Shell, res *wxpay.Response) error {
	text := ""
	if res != nil {
		text = res.Get("code_url").String()
	}
	if text == "" {
		return &shell.ExitError{Code: shell.ExitConfirmed,
			Err: shell.Say("the response has no code_url to draw; the platform has taken the call, so do not make it again")}
	}
	code, err := qrcode.New(text)
	if err != nil {
		return &shell.ExitError{Code: shell.ExitConfirmed, Err: err}
	}
	_, err = fmt.Fprint(sh.Stderr, code.Text(sh.Bars))
	return err
}
