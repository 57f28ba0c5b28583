package webhook

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/serve"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

const triggerExitCodes = `Exit codes:
  0  the response was 200 or 204
  1  the response was another one, or there was none
  2  wrong usage: nothing was sent
  3  the outcome is unknown: the sandbox did not respond
  4  nothing was sent: no sandbox listens
  5  the response was 200 or 204, but the result could not be written`

// printDelivered prints the outcome of a notification.
func printDelivered(sh *shell.Shell, d *serve.Delivered) error {
	c := sh.Colours()
	var out bytes.Buffer
	line := func(name, text string) {
		fmt.Fprintf(&out, "%s %s\n", c.Faint(fmt.Sprintf("%-8s", name)), shell.Printable(text))
	}
	accepted := d.Status == http.StatusOK || d.Status == http.StatusNoContent
	line("id", d.ID)
	line("event", d.Event)
	line("to", redacted(d.To))
	if d.Status == 0 {
		line("response", "none: "+d.Error)
	} else {
		line("response", strings.TrimSpace(strconv.Itoa(d.Status)+" "+http.StatusText(d.Status))+", after "+serve.Milliseconds(d.Took))
	}
	if d.Response != "" {
		line("body", strings.TrimRight(d.Response, "\n"))
	}
	if d.Next > 0 {
		line("again", "in "+max(d.Next.Round(time.Second), time.Second).String())
	}
	err := sh.Write(out.Bytes())
	if !accepted {
		return shell.Exit(shell.ExitRejected)
	}
	return err
}

func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Redacted()
}
