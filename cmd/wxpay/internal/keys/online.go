package keys

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// listState tells whether the platform lists certificates.
type listState int

const (
	listUnknown listState = iota
	listed
	unlisted // the merchant has none
)

// online asks the platform.
func (k *checker) online(ctx context.Context) {
	if k.failed() > 0 && !k.canAsk() {
		k.note(namePlatform, "not asked: correct the failures above first")
		return
	}
	if k.brand && !k.publicOK {
		k.fail(namePlatform, "no response to a brand can be verified without a public key: set WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY")
		return
	}
	if !k.apiv3OK && !k.publicOK {
		k.fail(namePlatform, "no response can be verified without a public key and without an APIv3 key: set "+
			"WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY, or WXPAY_APIV3_KEY if the merchant has certificates")
		return
	}
	client, err := k.newClient()
	if err != nil {
		k.fail(namePlatform, "not asked: %s", shell.Plainly(err))
		return
	}

	if k.brand {
		k.asBrand(ctx, client)
		return
	}
	state, failure := k.readList(ctx, client)
	k.checkClock()
	if failure != nil {
		k.failCall(failure)
		return
	}
	k.ok(nameSignature, "the platform accepts it")

	checks, _ := client.VerifyKeys(ctx) // its error joins those of the checks
	public := listUnknown
	for _, check := range checks {
		switch {
		case check.Certificate:
		case rejectsSerial(check.Err):
			public = unlisted
		default:
			public = listed
		}
	}
	k.checkMode(state, public)
	for _, broken := range client.KeyStatus().Broken {
		k.fail(nameWorks, "%s: if it stays so, ask the platform's support", shell.Plainly(broken))
	}
	for _, check := range checks {
		k.checkWorks(check)
	}
}

// asBrand reads the list of the brand's cards, since the platform has no self-test for brands. A signed rejection, such as a
// missing permission, also shows that both signatures are right.
func (k *checker) asBrand(ctx context.Context, client *wxpay.Client) {
	_, err := client.Chain("brand/card-member/cards").Query("offset", 0).Query("limit", 20).Get(ctx)
	k.checkClock()
	var rejection *wxpay.APIError
	switch {
	case rejectsSerial(err):
		k.ok(nameSignature, "the platform accepts it")
		k.fail(nameWorks, "public key %s: the platform does not know it as this brand's; compare id and key with the "+
			"brand's platform, under API security", k.publicID)
	case err == nil, errors.As(err, &rejection) && rejection.Verified && rejection.Code != wxcode.SignError:
		k.ok(nameSignature, "the platform accepts it")
		k.ok(nameWorks, "public key %s: signing and verifying; the platform has no self-test for brands, so encrypting and "+
			"decrypting are not tried", k.publicID)
	default:
		k.failCall(err)
	}
}

// canAsk reports whether the platform can be asked although a check failed: there is a client, and the platform may tell
// more about the failure.
func (k *checker) canAsk() bool {
	if k.mixedUp || k.keyErr != nil || k.certErr != nil || !k.apiv3OK && !k.publicOK {
		return false
	}
	_, err := k.newClient()
	return err == nil
}

// newClient returns a client that has every good key, and notes the time of the platform's clock.
func (k *checker) newClient() (*wxpay.Client, error) {
	own := *k.credentials
	if own.certificate != nil {
		// It is checked already. Without it the client also sends requests of an expired one, and the platform may tell more.
		own.serial, own.certificate = cmp.Or(own.serial, apiv3.Serial(own.certificate)), nil
	}
	options := []wxpay.Option{wxpay.WithMiddleware(k.noteDates), wxpay.WithTimeout(k.timeout),
		wxpay.WithAttemptTimeout(k.timeout)}
	if k.publicOK {
		options = append(options, wxpay.WithPublicKey(k.publicID, k.publicKey))
	}
	switch {
	case !k.apiv3OK:
		own.apiv3Key = ""
	case !k.brand: // for whom there are no certificates
		options = append(options, k.certificates())
	}
	return own.client(k.sh, options...)
}

// noteDates is a middleware that notes the Date of every response, verified or not: a wrong clock is a reason why a
// response cannot be verified.
func (k *checker) noteDates(next http.RoundTripper) http.RoundTripper {
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

// readList asks for the certificate list. After an error no other check is possible.
func (k *checker) readList(ctx context.Context, client *wxpay.Client) (listState, error) {
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
	var rejection *wxpay.APIError
	switch {
	case err == nil:
		return listed, nil
	case errors.Is(err, wxpay.ErrNoCertificates),
		errors.As(err, &rejection) && rejection.Status == http.StatusNotFound && rejection.Code != "":
		return unlisted, nil
	case rejectsSerial(err):
		return listUnknown, nil
	}
	return listUnknown, err
}

// rejectsSerial reports whether the platform does not know the key that a request names. Such a rejection has no code of
// its own, but its text names the header in every language. It may be signed with a key that is not given; that does no
// harm here, for the report shows it and nothing else depends on it.
func rejectsSerial(err error) bool {
	var rejection *wxpay.APIError
	var untrusted *wxpay.VerifyError
	var said struct{ Code, Message string }
	switch {
	case errors.As(err, &rejection) && rejection.Status == http.StatusBadRequest:
		said.Code, said.Message = string(rejection.Code), rejection.Message
	case errors.As(err, &untrusted) && untrusted.Status == http.StatusBadRequest:
		_ = json.Unmarshal(untrusted.Body, &said) // a body that is not JSON leaves it empty
	}
	return said.Code == string(wxcode.ParamError) && strings.Contains(said.Message, apiv3.HeaderSerial)
}

// checkClock compares the clocks by the response with the smallest difference, since a response may travel for long.
func (k *checker) checkClock() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.dates) == 0 {
		k.note(nameClock, "not compared: no response tells the time")
		return
	}
	skew := time.Duration(1<<63 - 1)
	for _, r := range k.dates {
		if d := r.local.Sub(r.platform).Truncate(time.Second); d.Abs() < skew.Abs() {
			skew = d
		}
	}
	side := shell.Say("%s ahead of the platform's", skew.Abs())
	if skew < 0 {
		side = shell.Say("%s behind the platform's", skew.Abs())
	}
	switch off := skew.Abs(); {
	case off > apiv3.Window:
		k.fail(nameClock, "this machine's is %s, at most %s are allowed: set it, and keep it right by NTP", side, apiv3.Window)
	case off > time.Minute:
		k.note(nameClock, "this machine's is %s: set it, for beyond %s the platform rejects every request", side, apiv3.Window)
	default:
		k.ok(nameClock, "%s off the platform's", off)
	}
}

// failCall explains why a request failed, under the name of the check that it concerns.
func (k *checker) failCall(err error) {
	var rejection *wxpay.APIError
	var call *wxpay.CallError
	switch {
	case errors.As(err, &rejection) && rejection.Code == wxcode.SignError:
		why := shell.Plainly(err)
		if rejection.Hint != "" {
			why = shell.Say("%s", rejection.Hint)
		}
		k.fail(nameSignature, "the platform rejects it: %s", why)
	case errors.As(err, &rejection):
		k.fail(namePlatform, "it rejects the request for certificates: %s", shell.Plainly(err))
	case errors.Is(err, apiv3.ErrDecrypt):
		k.fail(nameAPIv3Key, "the platform's certificates do not decrypt with it: set WXPAY_APIV3_KEY to the one set "+
			"in the merchant platform under API security, or set a new one there")
	case errors.Is(err, apiv3.ErrClock):
		k.fail(namePlatform, "its response is outside the window of %s: compare the clocks", apiv3.Window)
	case errors.As(err, &call) && call.Outcome == wxpay.NotSent:
		k.fail(namePlatform, "there is no connection to %s: look at the network, the proxy and WXPAY_BASE_URL (%s)",
			k.report.Gateway, shell.Plainly(call.Err))
	default:
		k.fail(namePlatform, "it gives no response that can be verified: %s", shell.Plainly(err))
	}
}

// checkMode tells which platform keys the merchant has. public is listed if the platform knows the public key that is
// given, unlisted if it does not, unknown if none is given.
func (k *checker) checkMode(list, public listState) {
	switch {
	case list == listed && public == listed:
		k.report.Mode = modeBoth
		k.ok(nameMode, "both: the merchant has platform certificates and the WeChat Pay public key")
	case list == listed:
		k.report.Mode = modeCertificates
		if public == listUnknown {
			k.ok(nameMode, "certificates: the merchant has platform certificates; whether it has a public key shows "+
				"only if one is given")
		} else {
			k.ok(nameMode, "certificates only")
		}
	case list == unlisted && public == listed:
		k.report.Mode = modePublicKey
		k.ok(nameMode, "public key only: the merchant has no platform certificates")
	case list == unlisted:
		k.report.Mode = modePublicKey
		if public == listUnknown {
			k.fail(nameMode, "public key only, and no usable one is given: save it from the merchant platform under "+
				"API security, and set WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY")
		} else {
			k.ok(nameMode, "public key only, but not the one that is given")
		}
	default:
		k.note(nameMode, "unknown: set WXPAY_APIV3_KEY, which decrypts the platform certificates")
	}
}

// checkWorks tells whether one platform key works in all directions.
func (k *checker) checkWorks(check wxpay.KeyCheck) {
	kind := shell.Say("public key %s", check.Serial)
	if check.Certificate {
		kind = shell.Say("certificate %s", check.Serial)
	}
	var rejection *wxpay.APIError
	switch err := check.Err; {
	case err == nil:
		k.ok(nameWorks, "%s: signing, encrypting, verifying and decrypting", kind)
	case rejectsSerial(err):
		k.fail(nameWorks, "%s: the platform does not know it as this merchant's; compare id and key with the merchant "+
			"platform under API security, or leave both out", kind)
	case errors.As(err, &rejection) && (rejection.Status == http.StatusNotFound || rejection.Status == http.StatusForbidden):
		k.note(nameWorks, "%s: not tried: the platform's self-test is not open to this merchant (%d %s)", kind,
			rejection.Status, shell.OneLine(string(rejection.Code)))
	case errors.Is(err, apiv3.ErrSignature):
		k.fail(nameWorks, "%s: the response's signature does not match it: the key of this id is another one, so save "+
			"it again from the merchant platform", kind)
	default:
		k.fail(nameWorks, "%s: %s", kind, shell.Plainly(err))
	}
}
