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
		fmt.Fprintf(&out, "%s %s\n", c.Faint(shell.Pad(name, 8)), shell.Printable(text))
	}
	accepted := d.Status == http.StatusOK || d.Status == http.StatusNoContent
	line("id", d.ID)
	line(sh.Words("event"), d.Event)
	line(sh.Words("to"), redacted(d.To))
	if d.Status == 0 {
		line(sh.Words("response"), sh.Words("none: %s", d.Error))
	} else {
		status := strings.TrimSpace(strconv.Itoa(d.Status) + " " + http.StatusText(d.Status))
		line(sh.Words("response"), sh.Words("%s, after %s", status, serve.Milliseconds(d.Took)))
	}
	if d.Response != "" {
		line(sh.Words("body"), strings.TrimRight(d.Response, "\n"))
	}
	if d.Next > 0 {
		line(sh.Words("again"), sh.Words("in %s", max(d.Next.Round(time.Second), time.Second)))
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
