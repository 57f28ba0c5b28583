package demo

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// print shows the report to a person.
func (r *report) print(sh *shell.Shell, out *bytes.Buffer) {
	c := sh.Colours()
	line := func(format string, a ...any) { fmt.Fprintf(out, format+"\n", a...) }
	heading := func(text, remark string) { line("\n%s  %s", c.Bold(text), c.Faint(remark)) }

	line("%s", c.Bold(sh.Words("One call of WeChat Pay APIv3, written in six styles")))
	line("%s", c.Faint(sh.Words("The gateway is a sandbox inside this process, at %s: no account, no money, real signatures.", r.Gateway)))
	line("")
	style, width := "", 0
	for _, call := range r.Calls {
		width = max(width, len(call.Go))
	}
	for _, call := range r.Calls {
		name := sh.Words(call.Style)
		if call.Style == style {
			name = ""
		}
		style = call.Style
		line("  %s  %s  %-*s  %s", c.Mark(call.OK), shell.Pad(name, 11), width, call.Go, c.Faint(fmt.Sprintf("%5.1f ms", call.Milliseconds)))
	}

	if request := r.Calls[0].Request; request != nil {
		heading(sh.Words("Request"), sh.Words("of the first; the others differ in nonce, timestamp and signature only"))
		line("  %s %s", request.Method, request.Target)
		line("  Authorization: %s", wrap(request.Authorization, "      "))
		line("  Wechatpay-Serial: %s", request.Serial)
		line("  %s", wrap(request.Body, "   "))
	}
	if res := r.Calls[0].Response; res != nil {
		heading(sh.Words("Response"), sh.Words("verified before the program saw it"))
		line("  %s", sh.Words("%d %s, signed with %s", res.Status, http.StatusText(res.Status), res.Serial))
		line("  %s", wrap(res.Body, "   "))
		line("  res.Get(\"out_request_no\").String() == %q", r.Calls[0].res.Get("out_request_no").String())
	}

	heading(sh.Words("Checks"), sh.Words("one mark for each call, in the order above"))
	failed := 0
	for _, check := range r.Checks {
		marks := ""
		for _, ok := range check.Calls {
			marks += c.Mark(ok)
		}
		line("  %s  %s", marks, sh.Words(check.Name))
		for _, failure := range check.Failures {
			line("          %s", sh.ErrorText(failure))
		}
		if !check.OK {
			failed++
		}
	}

	line("")
	if failed > 0 {
		line("%s %s", c.Mark(false), sh.Words("%d of %d checks failed, after %.0f ms.", failed, len(r.Checks), r.Milliseconds))
		return
	}
	line("%s %s", c.Mark(true), sh.Words("%d calls, %d checks each, all passed in %.0f ms, keys and sandbox included.",
		len(r.Calls), len(r.Checks), r.Milliseconds))
}

// wrapAt is the length of a line after which it is broken, in bytes.
const wrapAt = 100

// wrap breaks a text after its commas, and indents the lines after the first.
func wrap(text, indent string) string {
	var b strings.Builder
	width := 0
	for part := range strings.SplitAfterSeq(text, ",") {
		if width > 0 && width+len(part) > wrapAt {
			b.WriteString("\n" + indent)
			width = 0
		}
		b.WriteString(part)
		width += len(part)
	}
	return b.String()
}
