package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Response is what a delivery is answered.
type Response struct {
	// Status is the HTTP status: 204 or 200, or 4xx and 5xx for what shall come again.
	Status int
	// Body is the JSON body with Content-Type application/json; empty with 204.
	Body []byte
	// Authorization is the value of the header of that name, for the few answers that are signed; empty otherwise.
	Authorization string
}

func (a Response) write(w http.ResponseWriter) {
	header := w.Header()
	if a.Authorization != "" {
		header.Set("Authorization", a.Authorization)
	}
	if a.Status == http.StatusMethodNotAllowed {
		header.Set("Allow", http.MethodPost)
	}
	if len(a.Body) == 0 {
		w.WriteHeader(a.Status)
		return
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // a sender that is gone asks again
}

// Format prints status and size under every verb.
func (a Response) Format(s fmt.State, verb rune) { redact.Format(s, verb, a.text()) }

// MarshalText gives encodings what Format prints.
func (a Response) MarshalText() ([]byte, error) { return []byte(a.text()), nil }

func (a Response) text() string {
	return fmt.Sprintf("webhook.Response{status %d, %d bytes}", a.Status, len(a.Body))
}

// received is the answer to what was dealt with.
var received = Response{Status: http.StatusNoContent}

// fail makes an answer that has the notification come again. The message goes out to whoever asked.
func fail(status int, message string) Response {
	body, err := jsonwalk.Marshal(struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{"FAIL", message})
	if err != nil { // a struct of two strings
		panic(err)
	}
	return Response{Status: status, Body: body}
}

var (
	errMethod = fault.New("a notification is a POST")
	// errNoAnswer is a function that returned neither an answer nor an error to a question.
	errNoAnswer = errors.New("the function returned no answer")
	// errExited is a function that ended its goroutine (runtime.Goexit).
	errExited = errors.New("the function did not return")
	// errGone is a sender that did not wait for the answer.
	errGone = fault.New("the sender did not wait for the answer")
)

// functionError is the failure of a function of the user's. Its text may hold anything, and nothing of this module is found in
// it but a panic.
type functionError struct {
	err     error
	message string // that the function chose for the answer, with Fail
	kind    string
}

func functionFailed(err error) *functionError {
	f := &functionError{err: err, message: "processing failed", kind: "function"}
	var chosen *failure
	switch _, panicked := err.(*PanicError); {
	case panicked:
		f.kind = "panic"
		return f
	case errors.As(err, &chosen):
		f.message = chosen.message
	case errors.As(err, new(*decodeError)):
		f.kind = "decoding"
	}
	f.err = fault.Outside(err)
	return f
}

func (e *functionError) Error() string { return "the function failed: " + e.err.Error() }
func (e *functionError) Unwrap() error { return e.err }

// signError is an answer that could not be signed.
type signError struct{ err error }

func (e *signError) Error() string { return "the answer could not be signed: " + e.err.Error() }
func (e *signError) Unwrap() error { return fault.Outside(e.err) }

// probe is the word for a signature test of the platform.
const probe = "probe"

// refusal turns a failure into the answer and the word for it in logs. The answers' texts are fixed: what is said to
// whoever knocks must hold no secret, and tell no forger how far he came.
func refusal(err error) (answer Response, kind string) {
	const (
		notAccepted = "the notification was not accepted"
		notRead     = "the notification could not be read"
		failed      = "processing failed"
	)
	var (
		untrusted *VerifyError
		function  *functionError
		signing   *signError
		choosing  *chooseError
	)
	switch {
	case errors.As(err, &function):
		return fail(http.StatusInternalServerError, function.message), function.kind
	case errors.As(err, &untrusted):
		return signatureRefusal(untrusted)
	case errors.Is(err, ErrTooLarge):
		return fail(http.StatusRequestEntityTooLarge, "the body is too large"), "too large"
	case errors.Is(err, ErrBodyCut) && errors.Is(err, os.ErrDeadlineExceeded):
		return fail(http.StatusRequestTimeout, "the body took too long"), "slow body"
	case errors.Is(err, ErrBodyCut):
		return fail(http.StatusBadRequest, notRead), "cut body"
	case errors.Is(err, ErrBodyConsumed):
		return fail(http.StatusInternalServerError, "the body was read or changed before the handler got it"), "body consumed"
	case errors.Is(err, ErrV2Notification):
		return fail(http.StatusBadRequest, "only notifications of APIv3 are accepted"), "v2"
	case errors.Is(err, errMethod):
		return fail(http.StatusMethodNotAllowed, "only POST is accepted"), "method"
	case errors.Is(err, ErrUnknownMerchant):
		return fail(http.StatusNotFound, notAccepted), "unknown merchant"
	case errors.As(err, &choosing):
		return fail(http.StatusServiceUnavailable, failed), "choosing the merchant"
	case errors.Is(err, ErrMalformed):
		return fail(http.StatusBadRequest, notRead), "malformed"
	case errors.Is(err, apiv3.ErrDecrypt), errors.Is(err, apiv3.ErrKey):
		return fail(http.StatusInternalServerError, notRead), "decryption"
	case errors.Is(err, ErrNoHandler):
		return fail(http.StatusInternalServerError, "no function is registered for this event"), "no function"
	case errors.Is(err, ErrOverrun):
		return fail(http.StatusInternalServerError, "processing takes too long"), "overrun"
	case errors.Is(err, ErrBusy):
		return fail(http.StatusServiceUnavailable, "the notification is being processed"), "busy"
	case errors.Is(err, ErrDeduper):
		return fail(http.StatusServiceUnavailable, failed), "store"
	case errors.Is(err, errGone):
		return fail(http.StatusInternalServerError, failed), "sender gone"
	case errors.As(err, &signing):
		return fail(http.StatusInternalServerError, failed), "signing"
	}
	return fail(http.StatusInternalServerError, failed), "internal"
}

func signatureRefusal(err *VerifyError) (answer Response, kind string) {
	refused := fail(http.StatusUnauthorized, "the notification was not accepted")
	if err.Probe {
		return refused, probe
	}
	for _, known := range [...]struct {
		reason error
		kind   string
	}{
		{apiv3.ErrUnsigned, "unsigned"},
		{apiv3.ErrSignatureHeader, "headers"},
		{apiv3.ErrClock, "clock"},
		{apiv3.ErrUnknownSerial, "unknown key"},
		{apiv3.ErrExpired, "expired key"},
		{apiv3.ErrSignature, "signature"},
	} {
		if errors.Is(err.Reason, known.reason) {
			return refused, known.kind
		}
	}
	// The keys could not be asked: nothing is known about the notification.
	return fail(http.StatusServiceUnavailable, "the notification could not be verified"), "keys"
}

// ResponseSigner returns the Authorization header for the answer to a signed question. body is the answer's.
//
// The documentation asks for the header and does not tell how its message is made. The built-in one takes the rules of
// requests, which is what the name of the header means everywhere else: POST, the target at which the question
// arrived, timestamp, nonce, and the answer's body. Should the platform refuse that, WithResponseSigner replaces it.
type ResponseSigner func(ctx context.Context, m *Merchant, d *Delivery, body []byte) (authorization string, err error)

func (m *Merchant) canSign() bool { return m.ID != "" && m.Serial != "" && m.PrivateKey != nil }

// signAnswer is the built-in ResponseSigner.
func (h *Handler) signAnswer(_ context.Context, m *Merchant, d *Delivery, body []byte) (string, error) {
	if !m.canSign() {
		return "", fmt.Errorf("%w: the answer has to be signed: Merchant needs ID, Serial and PrivateKey", apiv3.ErrKey)
	}
	if d.Target == "" {
		return "", errors.New("the answer has to be signed: Delivery needs Target")
	}
	caller := apiv3.Authorization{
		ID: m.ID, Serial: m.Serial, Nonce: h.nonce(), Timestamp: strconv.FormatInt(h.clock().Unix(), 10),
	}
	header, _, err := apiv3.SignRequest(m.scheme(), m.PrivateKey, caller, http.MethodPost, d.Target, body)
	return header, err
}
