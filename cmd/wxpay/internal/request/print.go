package request

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// PrintResponse prints a response, or the value that the options choose.
func PrintResponse(sh *shell.Shell, o *Options, res *wxpay.Response) error {
	missing, err := printResponse(sh, o, res)
	if err != nil {
		return err
	}
	return missing
}

// PrintPages prints each page of a list as [PrintResponse] does. A page without the value that the options choose is no
// error if another has it.
func PrintPages(sh *shell.Shell, o *Options, pages iter.Seq2[*wxpay.Response, error]) error {
	var missing error
	found := false
	for page, err := range pages {
		if err != nil {
			return PrintFailure(sh, o, err)
		}
		if missing, err = printResponse(sh, o, page); err != nil {
			return err
		}
		found = found || missing == nil
	}
	if found {
		return nil
	}
	return missing
}

// printResponse prints a response. missing is the error about a value that it does not have.
func printResponse(sh *shell.Shell, o *Options, res *wxpay.Response) (missing, err error) {
	if o.Method != http.MethodGet {
		// A reader that has gone must not end the program silently: the operation succeeded.
		broken := make(chan os.Signal, 1)
		signal.Notify(broken, syscall.SIGPIPE)
		defer signal.Stop(broken)
	}
	var out bytes.Buffer
	if o.Include {
		writeHead(&out, res.Status, res.Header)
	}
	if o.Get == "" {
		sh.AppendBody(&out, res.Raw())
		return nil, sh.WriteForeign(out.Bytes())
	}
	switch value := res.Get(o.Get); {
	case !value.Exists():
		missing = o.missing(res)
	case strings.HasPrefix(value.Raw, `"`):
		out.WriteString(value.String() + "\n")
	default:
		out.WriteString(value.Raw + "\n")
	}
	if err := res.DecryptErr(); err != nil {
		sh.Note("wxpay: the response is not decrypted in full: %v", err)
	}
	return missing, sh.WriteForeign(out.Bytes())
}

// missing returns the error about a value that the response does not have. It names the fields that are there at its top.
// The exit code of a write never passes for a rejection.
func (o *Options) missing(res *wxpay.Response) error {
	var names []string
	res.Get("@this").ForEach(func(name, _ wxpay.Result) bool {
		if strings.HasPrefix(name.Raw, `"`) {
			names = append(names, name.String())
		}
		return len(names) < 20
	})
	there := shell.Say("it is empty")
	if len(names) > 0 {
		there = shell.Say("at its top are %s", strings.Join(names, ", "))
	}
	if o.Method == http.MethodGet {
		return &shell.ExitError{Code: shell.ExitRejected, Err: shell.Say("the response has no %s; %s", o.Get, there)}
	}
	return &shell.ExitError{Code: shell.ExitConfirmed,
		Err: shell.Say("the response has no %s; %s; the platform has taken the call, so do not make it again", o.Get, there)}
}

// PrintFailure prints the response of a request that failed, if there is one, and returns err.
func PrintFailure(sh *shell.Shell, o *Options, err error) error {
	var rejection *wxpay.APIError
	var untrusted *wxpay.VerifyError
	var out bytes.Buffer
	switch {
	case errors.As(err, &rejection) && (rejection.Verified || rejection.Outcome == wxpay.Rejected):
		if o.Include {
			writeHead(&out, rejection.Status, rejection.Header)
		}
		if o.Get == "" {
			sh.AppendBody(&out, rejection.Raw)
		}
		// The exit code tells that the platform rejected the request, even if its words cannot be written.
		_ = sh.WriteForeign(out.Bytes())
	case !o.Include:
	case errors.As(err, &rejection):
		noteEvidence(sh, rejection.Status, rejection.Header, rejection.Raw)
	case errors.As(err, &untrusted):
		noteEvidence(sh, untrusted.Status, untrusted.Header, untrusted.Body)
	}
	return err
}

// noteEvidence shows, on stderr, a response that may not be the platform's.
func noteEvidence(sh *shell.Shell, status int, header http.Header, body []byte) {
	const most = 4 << 10 // bytes
	var out bytes.Buffer
	writeHead(&out, status, header)
	out.Write(body[:min(len(body), most)])
	sh.Note("This arrived, not verified:\n%s", out.String())
}

// writeHead writes status and headers as on the wire.
func writeHead(out *bytes.Buffer, status int, header http.Header) {
	fmt.Fprintf(out, "HTTP/1.1 %d %s\n", status, http.StatusText(status))
	WriteHeader(out, header)
	out.WriteByte('\n')
}

// WriteHeader writes headers as on the wire, sorted.
func WriteHeader(out *bytes.Buffer, header http.Header) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			fmt.Fprintf(out, "%s: %s\n", name, value)
		}
	}
}
