package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

type keysCheckOptions struct {
	source  keySource
	timeout time.Duration
	json    bool
}

func keysCheckCommand(run func(context.Context, keysCheckOptions) error) *cobra.Command {
	o := new(keysCheckOptions)
	command := &cobra.Command{
		Use:   "check",
		Short: "Check that the merchant's keys are complete, belong together, and work",
		Long: `Check that the merchant's keys are complete, belong together, and work at the platform, one line for each check:

  private key   it can be read, and is an RSA key of 2048 bits or more
  certificate   it can be read, was issued to this merchant, belongs to the private key, has the serial that is set, and is
                within its validity
  APIv3 key     it has 32 bytes
  public key    it can be read, and its id is one of a public key
  clock         this machine's against the platform's; at most five minutes are allowed
  signature     the platform accepts requests that are signed with the key
  mode          which platform keys the merchant has: certificates, the public key, or both
  works         each platform key in all directions: signing, encrypting, verifying, decrypting

Nothing is changed by it: it asks for the certificate list, and has the platform echo a text (v3/security/echo).
A mark – is something to know, or something that could not be checked.

` + keySourceHelp + `

Exit codes:
  0  all is well
  1  a check failed
  2  nothing was checked: wrong usage, or credentials that are missing
  5  the result could not be written out`,
		Example: `  wxpay keys check --cert apiclient_cert.pem
  wxpay keys check --p12 apiclient_cert.p12
  wxpay keys check --sandbox --sandbox-keys public-key
  wxpay keys check --json | jq -r '.checks[] | select(.result == "failed") | .text'`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if o.timeout <= 0 {
				return usageError("--timeout is %s, it must be positive", o.timeout)
			}
			return run(command.Context(), *o)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	o.source.flags(flags)
	flags.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long to wait for each answer, such as 5s")
	flags.BoolVar(&o.json, "json", false, "print one JSON document for machines")
	return command
}

// keyReport is what the checks found.
type keyReport struct {
	OK       bool        `json:"ok"`
	Merchant string      `json:"mchid"`
	Gateway  string      `json:"gateway"`
	Mode     string      `json:"mode,omitempty"` // empty if it could not be found out
	Checks   []*keyCheck `json:"checks"`
}

// keyCheck is one line of the report.
type keyCheck struct {
	Name   string      `json:"name"`
	Result checkResult `json:"result"`
	Text   string      `json:"text"`
}

type checkResult string

const (
	checkOK     checkResult = "ok"
	checkFailed checkResult = "failed"
	checkNoted  checkResult = "noted" // something to know, or something that could not be checked
)

// The modes.
const (
	modeBoth         = "both"
	modeCertificates = "certificates"
	modePublicKey    = "public-key"
)

func (p *program) keysCheck(ctx context.Context, o keysCheckOptions) error {
	c, leave, err := p.credentials(o.source)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := interruptible(ctx)
	defer stop()

	checker := &keyChecker{program: p, credentials: c, timeout: o.timeout, now: time.Now()}
	report := &checker.report
	report.Merchant, report.Gateway = c.id, cmp.Or(c.baseURL, wxpay.DefaultBaseURL)
	checker.offline()
	checker.online(ctx)
	report.OK = checker.failed() == 0

	var out bytes.Buffer
	if o.json {
		err = writeIndented(&out, report)
	} else {
		report.print(&out, p.colours(), checker.failed())
	}
	if err != nil {
		return err
	}
	if err := p.write(&out); err != nil {
		return err
	}
	if !report.OK {
		return &exitError{code: exitRefused}
	}
	return nil
}

func (r *keyReport) print(out *bytes.Buffer, c paint, failed int) {
	fmt.Fprintf(out, "%s\n", c.bold("Merchant "+oneLine(r.Merchant)+" at "+oneLine(r.Gateway)))
	for _, check := range r.Checks {
		mark := c.faint("–")
		if check.Result != checkNoted {
			mark = c.mark(check.Result == checkOK)
		}
		fmt.Fprintf(out, "%s %-11s  %s\n", mark, check.Name, check.Text)
	}
	switch failed {
	case 0:
		out.WriteString("all is well\n")
	case 1:
		out.WriteString("1 check failed\n")
	default:
		fmt.Fprintf(out, "%d checks failed\n", failed)
	}
}

// keyChecker makes the checks.
type keyChecker struct {
	*credentials
	program *program
	timeout time.Duration
	now     time.Time
	report  keyReport

	apiv3OK, publicOK bool // these keys have passed what can be checked without the platform
	mixedUp           bool // certificate, private key, serial and merchant do not belong together

	mu    sync.Mutex
	dates []reading
}

// reading is what the platform's clock showed at a time of this machine's.
type reading struct{ local, platform time.Time }

func (k *keyChecker) add(name string, result checkResult, format string, a ...any) {
	k.report.Checks = append(k.report.Checks, &keyCheck{name, result, oneLine(fmt.Sprintf(format, a...))})
}

func (k *keyChecker) ok(name, format string, a ...any)   { k.add(name, checkOK, format, a...) }
func (k *keyChecker) fail(name, format string, a ...any) { k.add(name, checkFailed, format, a...) }
func (k *keyChecker) note(name, format string, a ...any) { k.add(name, checkNoted, format, a...) }

func (k *keyChecker) failed() (n int) {
	for _, check := range k.report.Checks {
		if check.Result == checkFailed {
			n++
		}
	}
	return n
}

// Names of the checks.
const (
	nameMerchant    = "merchant"
	namePrivateKey  = "private key"
	nameCertificate = "certificate"
	nameSerial      = "serial"
	nameValidity    = "validity"
	nameAPIv3Key    = "APIv3 key"
	namePublicKey   = "public key"
	namePlatform    = "platform"
	nameClock       = "clock"
	nameSignature   = "signature"
	nameMode        = "mode"
	nameWorks       = "works"
)

// offline checks what can be checked without the platform.
func (k *keyChecker) offline() {
	if strings.Trim(k.id, "0123456789") != "" {
		k.fail(nameMerchant, "the merchant number is not made of digits: set WXPAY_MCHID to the number that the merchant platform shows under account centre")
	}
	k.checkPrivateKey()
	k.checkCertificate()
	k.checkSerial()

	switch err := apiv3.CheckKey([]byte(k.apiv3Key)); {
	case k.apiv3Key == "":
		k.note(nameAPIv3Key, "none is given: notifications and platform certificates need it (WXPAY_APIV3_KEY)")
	case err != nil:
		k.fail(nameAPIv3Key, "it has %d bytes instead of %d: set WXPAY_APIV3_KEY to the key as it was typed in the merchant platform under API security, without quotes or blanks",
			len(k.apiv3Key), apiv3.KeySize)
	default:
		k.apiv3OK = true
		k.ok(nameAPIv3Key, "%d bytes", apiv3.KeySize)
	}
	k.checkPublicKey()
}

func (k *keyChecker) checkPrivateKey() {
	if k.keyErr != nil {
		k.fail(namePrivateKey, "it cannot be used: %s", plainly(k.keyErr))
		return
	}
	if err := apiv3.RSA().CheckPublicKey(k.key.Public()); err != nil {
		k.fail(namePrivateKey, "it cannot be used: %s; take apiclient_key.pem as the merchant platform made it", plainly(err))
		return
	}
	name, bits := algorithm(k.key.Public())
	k.ok(namePrivateKey, "%s, %d bits", name, bits)
}

func (k *keyChecker) checkCertificate() {
	if k.certErr != nil {
		k.fail(nameCertificate, "it cannot be used: %s", plainly(k.certErr))
		return
	}
	if k.certificate == nil {
		k.note(nameCertificate, "none is given, so validity and private key cannot be compared with it: name it by --cert or WXPAY_CERTIFICATE")
		return
	}
	k.mixedUp = true
	switch owner := issuedTo(k.certificate); {
	case strings.HasPrefix(owner, "the platform"):
		k.fail(nameCertificate, "it was issued to %s: the merchant's own is apiclient_cert.pem", owner)
	case k.certificate.Subject.CommonName != k.id:
		k.fail(nameCertificate, "it was issued to %s and not to merchant %s: take the one of this merchant, or correct WXPAY_MCHID", owner, bounded(k.id))
	case k.key != nil && !belongTogether(k.key, k.certificate.PublicKey):
		k.fail(nameCertificate, "the private key does not belong to it: take apiclient_key.pem and apiclient_cert.pem from one download of the merchant platform")
	case k.key == nil:
		k.mixedUp = false
		k.ok(nameCertificate, "issued to %s", owner)
	default:
		k.mixedUp = false
		k.ok(nameCertificate, "issued to %s, and the private key belongs to it", owner)
	}

	from, to := k.certificate.NotBefore, k.certificate.NotAfter
	const renew = "apply for a new one in the merchant platform under API security"
	switch text := validity(from, to, k.now); {
	case k.now.Before(from):
		k.fail(nameValidity, "the certificate is not valid yet (%s): look at this machine's clock", text)
	case k.now.After(to):
		k.fail(nameValidity, "the certificate is no longer valid (%s): %s", text, renew)
	case to.Sub(k.now) < renewBefore:
		k.note(nameValidity, "%s: %s, and use both for a time", text, renew)
	default:
		k.ok(nameValidity, "%s", text)
	}
}

// renewBefore is how long before its end a certificate is worth a remark.
const renewBefore = 30 * 24 * time.Hour

// belongTogether reports whether public is the public half of key.
func belongTogether(key crypto.Signer, public crypto.PublicKey) bool {
	half, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && half.Equal(public)
}

func (k *keyChecker) checkSerial() {
	read := ""
	if k.certificate != nil {
		read = apiv3.Serial(k.certificate)
	}
	switch {
	case k.serial == "" && read == "": // the certificate could not be read, which was said
	case k.serial == "":
		k.ok(nameSerial, "%s", read)
	case strings.HasPrefix(k.serial, "PUB_KEY_ID_"):
		k.fail(nameSerial, "WXPAY_SERIAL is the id of the WeChat Pay public key: that belongs into WXPAY_PUBLIC_KEY_ID, and the serial is that of apiclient_cert.pem")
	case !apiv3.IsSerial(k.serial) && apiv3.IsSerial(strings.ToUpper(k.serial)):
		k.fail(nameSerial, "WXPAY_SERIAL has lower-case digits: write it in upper case")
	case !apiv3.IsSerial(k.serial):
		k.fail(nameSerial, "WXPAY_SERIAL is not 40 hex digits: copy it from wxpay keys show apiclient_cert.pem, with leading zeros")
	case read != "" && read != k.serial:
		k.mixedUp = true
		k.fail(nameSerial, "WXPAY_SERIAL is %s, and the certificate has %s: leave WXPAY_SERIAL empty, or take the certificate that it names", k.serial, read)
	default:
		k.ok(nameSerial, "%s", k.serial)
	}
}

func (k *keyChecker) checkPublicKey() {
	switch {
	case k.publicErr != nil:
		k.fail(namePublicKey, "%s", plainly(k.publicErr))
	case k.publicKey == nil:
		k.note(namePublicKey, "none is given; a merchant who has one sets WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY")
	case apiv3.IsSerial(k.publicID):
		k.fail(namePublicKey, "WXPAY_PUBLIC_KEY_ID is the serial of a certificate: the id of the public key begins with PUB_KEY_ID_, and stands beside the key in the merchant platform")
	case k.key != nil && belongTogether(k.key, k.publicKey):
		k.fail(namePublicKey, "it is the merchant's own public key: save that of WeChat Pay (pub_key.pem) from the merchant platform under API security")
	default:
		if err := apiv3.RSA().CheckPublicKey(k.publicKey); err != nil {
			k.fail(namePublicKey, "it cannot be used: %s; save pub_key.pem again from the merchant platform", plainly(err))
			return
		}
		k.publicOK = true
		name, bits := algorithm(k.publicKey)
		k.ok(namePublicKey, "%s, %s, %d bits", bounded(k.publicID), name, bits)
	}
}

// listState is what is known of the platform's certificates.
type listState int

const (
	listUnknown listState = iota
	listed
	unlisted // the merchant has none
)

// online asks the platform.
func (k *keyChecker) online(ctx context.Context) {
	if k.failed() > 0 && !k.canAsk() {
		k.note(namePlatform, "not asked, before what failed above is mended")
		return
	}
	if !k.apiv3OK && !k.publicOK {
		k.fail(namePlatform, "no answer can be verified, for there is neither a public key nor an APIv3 key: set WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY, or WXPAY_APIV3_KEY if the merchant has certificates")
		return
	}
	client, err := k.newClient()
	if err != nil {
		k.fail(namePlatform, "not asked: %s", plainly(err))
		return
	}

	state, refused := k.askForList(ctx, client)
	k.checkClock()
	if refused != nil {
		k.failCall(refused)
		return
	}
	k.ok(nameSignature, "the platform accepts it")

	checks, _ := client.VerifyKeys(ctx) // its error joins those of the checks
	public := listUnknown
	for _, check := range checks {
		switch {
		case check.Certificate:
		case refusesSerial(check.Err):
			public = unlisted
		default:
			public = listed
		}
	}
	k.checkMode(state, public)
	for _, broken := range client.KeyStatus().Broken {
		k.fail(nameWorks, "%s: ask the platform's support if it stays so", plainly(broken))
	}
	for _, check := range checks {
		k.checkWorks(check)
	}
}

// canAsk reports whether the platform can be asked although a check has failed: a client can be made, and the failure may
// be one that the platform says more about.
func (k *keyChecker) canAsk() bool {
	if k.mixedUp || k.keyErr != nil || k.certErr != nil || !k.apiv3OK && !k.publicOK {
		return false
	}
	_, err := k.newClient()
	return err == nil
}

// newClient returns a client that has every good key there is, and notes what the platform's clock shows.
func (k *keyChecker) newClient() (*wxpay.Client, error) {
	own := *k.credentials
	if own.certificate != nil {
		// Checked above. Without it the client asks also with one that has expired, of which the platform may say more.
		own.serial, own.certificate = cmp.Or(own.serial, apiv3.Serial(own.certificate)), nil
	}
	options := []wxpay.Option{wxpay.WithMiddleware(k.noteDates), wxpay.WithTimeout(k.timeout), wxpay.WithAttemptTimeout(k.timeout)}
	if k.publicOK {
		options = append(options, wxpay.WithPublicKey(k.publicID, k.publicKey))
	}
	if k.apiv3OK {
		options = append(options, k.certificates())
	} else {
		own.apiv3Key = ""
	}
	return own.client(k.program, options...)
}

// noteDates is a middleware that notes the Date of every answer, trusted or not: a clock that is wrong is a reason for
// which an answer is not.
func (k *keyChecker) noteDates(next http.RoundTripper) http.RoundTripper {
	return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(req)
		var header http.Header
		var untrusted *wxpay.VerifyError
		switch {
		case res != nil:
			header = res.Header
		case errors.As(err, &untrusted):
			header = untrusted.Header
		}
		if date, parseErr := http.ParseTime(header.Get("Date")); parseErr == nil {
			k.mu.Lock()
			k.dates = append(k.dates, reading{time.Now(), date})
			k.mu.Unlock()
		}
		return res, err
	})
}

// askForList asks for the certificate list. An error is one that leaves nothing to go on with.
func (k *keyChecker) askForList(ctx context.Context, client *wxpay.Client) (listState, error) {
	var err error
	if k.apiv3OK {
		err = client.RefreshKeys(ctx) // which names no key and needs none
		var failure *wxpay.KeysError
		if errors.As(err, &failure) {
			err = failure.Cause
		}
	} else {
		_, err = client.Chain(k.listPath()).Get(ctx)
	}
	var refusal *wxpay.APIError
	switch {
	case err == nil:
		return listed, nil
	case errors.Is(err, wxpay.ErrNoCertificates),
		errors.As(err, &refusal) && refusal.Status == http.StatusNotFound && refusal.Code != "":
		return unlisted, nil
	case refusesSerial(err):
		return listUnknown, nil
	}
	return listUnknown, err
}

// refusesSerial reports that the platform does not know the key that a request names. Such a refusal has no code of its
// own; its text names the header in every language. It is signed with another key, which may not be at hand; that does
// no harm here, where it is shown to a person and nothing follows from it.
func refusesSerial(err error) bool {
	var refusal *wxpay.APIError
	var untrusted *wxpay.VerifyError
	var said struct{ Code, Message string }
	switch {
	case errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest:
		said.Code, said.Message = string(refusal.Code), refusal.Message
	case errors.As(err, &untrusted) && untrusted.Status == http.StatusBadRequest:
		_ = json.Unmarshal(untrusted.Body, &said) // what is no JSON says nothing
	}
	return said.Code == string(wxcode.ParamError) && strings.Contains(said.Message, apiv3.HeaderSerial)
}

// checkClock compares the clocks, as of the answer that says most: the one with the smallest difference, since an answer
// may have been long on its way.
func (k *keyChecker) checkClock() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.dates) == 0 {
		k.note(nameClock, "not compared, for no answer tells the time")
		return
	}
	skew := time.Duration(1<<63 - 1)
	for _, r := range k.dates {
		if d := r.local.Sub(r.platform).Truncate(time.Second); d.Abs() < skew.Abs() {
			skew = d
		}
	}
	side := "ahead of"
	if skew < 0 {
		side = "behind"
	}
	switch off := skew.Abs(); {
	case off > apiv3.Window:
		k.fail(nameClock, "this machine's is %s %s the platform's, at most %s are allowed: set it, and keep it right by NTP", off, side, apiv3.Window)
	case off > time.Minute:
		k.note(nameClock, "this machine's is %s %s the platform's: set it before it is %s, from where on nothing works", off, side, apiv3.Window)
	default:
		k.ok(nameClock, "%s off the platform's", off)
	}
}

// failCall explains why the platform could not be asked, under the name of what is to blame.
func (k *keyChecker) failCall(err error) {
	var refusal *wxpay.APIError
	var call *wxpay.CallError
	switch {
	case errors.As(err, &refusal) && refusal.Code == wxcode.SignError:
		k.fail(nameSignature, "the platform refuses it: %s", cmp.Or(refusal.Hint, plainly(err)))
	case errors.As(err, &refusal):
		k.fail(namePlatform, "it refuses the list of certificates: %s", plainly(err))
	case errors.Is(err, apiv3.ErrDecrypt):
		k.fail(nameAPIv3Key, "the platform's certificates do not decrypt with it: set WXPAY_APIV3_KEY to the one set in the merchant platform under API security, or set a new one there")
	case errors.Is(err, apiv3.ErrClock):
		k.fail(namePlatform, "its answer is outside the window of %s: compare the clocks", apiv3.Window)
	case errors.As(err, &call) && call.Outcome == wxpay.NotSent:
		k.fail(namePlatform, "there is no connection to %s: look at the network, the proxy and WXPAY_BASE_URL (%s)", k.report.Gateway, plainly(call.Err))
	default:
		k.fail(namePlatform, "it gives no answer that can be trusted: %s", plainly(err))
	}
}

// checkMode tells which platform keys the merchant has. public is listed if the platform knows the public key that is
// given, unlisted if it does not, unknown if none is given.
func (k *keyChecker) checkMode(list, public listState) {
	switch {
	case list == listed && public == listed:
		k.report.Mode = modeBoth
		k.ok(nameMode, "both: the merchant has platform certificates and the WeChat Pay public key")
	case list == listed:
		k.report.Mode = modeCertificates
		if public == listUnknown {
			k.ok(nameMode, "certificates: the merchant has platform certificates; for a public key it can be asked only if one is given")
		} else {
			k.ok(nameMode, "certificates only")
		}
	case list == unlisted && public == listed:
		k.report.Mode = modePublicKey
		k.ok(nameMode, "public key only: the merchant has no platform certificates, so do not use WithCertificates")
	case list == unlisted:
		k.report.Mode = modePublicKey
		if public == listUnknown {
			k.fail(nameMode, "public key only, and no usable one is given: save it from the merchant platform under API security, and set WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY")
		} else {
			k.ok(nameMode, "public key only, but another than the one that is given")
		}
	default:
		k.note(nameMode, "not known: set WXPAY_APIV3_KEY, under which platform certificates can be asked for")
	}
}

// checkWorks tells whether one platform key works in all directions.
func (k *keyChecker) checkWorks(check wxpay.KeyCheck) {
	kind := "public key"
	if check.Certificate {
		kind = "certificate"
	}
	kind += " " + check.Serial
	var refusal *wxpay.APIError
	switch err := check.Err; {
	case err == nil:
		k.ok(nameWorks, "%s: signing, encrypting, verifying and decrypting", kind)
	case refusesSerial(err):
		k.fail(nameWorks, "%s: the platform does not know it as this merchant's; compare id and key with the merchant platform under API security, or leave both out", kind)
	case errors.As(err, &refusal) && (refusal.Status == http.StatusNotFound || refusal.Status == http.StatusForbidden):
		k.note(nameWorks, "%s: not tried, for the platform's self-test is not open to this merchant (%d %s)", kind, refusal.Status, oneLine(string(refusal.Code)))
	case errors.Is(err, apiv3.ErrSignature):
		k.fail(nameWorks, "%s: the answer's signature does not match it; another key is kept under this id, so save it again from the merchant platform", kind)
	default:
		k.fail(nameWorks, "%s: %s", kind, plainly(err))
	}
}
