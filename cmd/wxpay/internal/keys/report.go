package keys

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// report is the result of the checks.
type report struct {
	OK       bool     `json:"ok"`
	Merchant string   `json:"mchid,omitempty"`
	Brand    string   `json:"brand_id,omitempty"`
	Gateway  string   `json:"gateway"`
	Mode     string   `json:"mode,omitempty"` // empty if unknown
	Checks   []*check `json:"checks"`
}

// check is one line of the report.
type check struct {
	Name   string      `json:"name"`
	Result checkResult `json:"result"`
	Text   error       `json:"text"`
}

type checkResult string

const (
	checkOK     checkResult = "ok"
	checkFailed checkResult = "failed"
	checkNoted  checkResult = "noted" // for information, or not possible
)

// The modes.
const (
	modeBoth         = "both"
	modeCertificates = "certificates"
	modePublicKey    = "public-key"
)

func (r *report) print(sh *shell.Shell, out *bytes.Buffer, failed int) {
	c := sh.Colours()
	who := sh.Words("Merchant %s at %s", shell.OneLine(r.Merchant), shell.OneLine(r.Gateway))
	if r.Brand != "" {
		who = sh.Words("Brand %s at %s", shell.OneLine(r.Brand), shell.OneLine(r.Gateway))
	}
	fmt.Fprintf(out, "%s\n", c.Bold(who))
	for _, check := range r.Checks {
		mark := c.Dash()
		if check.Result != checkNoted {
			mark = c.Mark(check.Result == checkOK)
		}
		fmt.Fprintf(out, "%s %s  %s\n", mark, shell.Pad(sh.Words(check.Name), 11), shell.OneLine(sh.ErrorText(check.Text)))
	}
	switch failed {
	case 0:
		out.WriteString(sh.Words("all is well") + "\n")
	case 1:
		out.WriteString(sh.Words("1 check failed") + "\n")
	default:
		out.WriteString(sh.Words("%d checks failed", failed) + "\n")
	}
}

// checker makes the checks.
type checker struct {
	*credentials
	sh      *shell.Shell
	timeout time.Duration
	now     time.Time
	report  report

	apiv3OK, publicOK bool // these keys passed the checks without the platform
	mixedUp           bool // certificate, private key, serial and merchant do not belong together

	mu    sync.Mutex
	dates []reading
}

// reading is a time of this machine's clock, and that of the platform's clock at the same moment.
type reading struct{ local, platform time.Time }

func (k *checker) add(name string, result checkResult, format string, a ...any) {
	k.report.Checks = append(k.report.Checks, &check{name, result, k.named(shell.Say(format, a...))})
}

func (k *checker) ok(name, format string, a ...any)   { k.add(name, checkOK, format, a...) }
func (k *checker) fail(name, format string, a ...any) { k.add(name, checkFailed, format, a...) }
func (k *checker) note(name, format string, a ...any) { k.add(name, checkNoted, format, a...) }

func (k *checker) failed() (n int) {
	for _, check := range k.report.Checks {
		if check.Result == checkFailed {
			n++
		}
	}
	return n
}

// Names of the checks.
var (
	nameMerchant    = shell.Text("merchant")
	namePrivateKey  = shell.Text("private key")
	nameCertificate = shell.Text("certificate")
	nameSerial      = shell.Text("serial")
	nameValidity    = shell.Text("validity")
	nameAPIv3Key    = shell.Text("APIv3 key")
	namePublicKey   = shell.Text("public key")
	namePlatform    = shell.Text("platform")
	nameClock       = shell.Text("clock")
	nameSignature   = shell.Text("signature")
	nameMode        = shell.Text("mode")
	nameWorks       = shell.Text("works")
)
