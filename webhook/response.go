package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Response is the HTTP response to a delivery.
type Response struct {
	// Status is the HTTP status: 204 or 200, or 4xx and 5xx for an event that should come again.
	Status int
	// Body is the JSON body with Content-Type application/json; empty with 204.
	Body []byte
	// Authorization is the value of that header for the few signed responses, empty otherwise.
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
	_, _ = w.Write(a.Body) // a sender that has gone delivers again
}

// Format prints status and size under every verb.
func (a Response) Format(s fmt.State, verb rune) { redact.Format(s, verb, a.text()) }

// MarshalText returns the text that Format prints.
func (a Response) MarshalText() ([]byte, error) { return []byte(a.text()), nil }

func (a Response) text() string {
	return fmt.Sprintf("webhook.Response{status %d, %d bytes}", a.Status, len(a.Body))
}

// received is the response to a processed event.
var received = Response{Status: http.StatusNoContent}

// fail returns a response after which the notification comes again. The sender reads the message.
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

// ResponseSigner returns the Authorization header for the response to a signed inquiry. body is the
// response's body.
//
// The documentation requires the header and does not define its message. The built-in signer
// follows the rules of requests, as the name of the header suggests: POST, the target of the
// inquiry, timestamp, nonce, and the response's body. If the platform rejects that,
// WithResponseSigner replaces it.
type ResponseSigner func(ctx context.Context, m *Merchant, d *Delivery, body []byte) (authorization string, err error)

// replyBody returns the JSON of a response to an inquiry.
func replyBody(reply any) ([]byte, error) {
	var body []byte
	switch reply := reply.(type) {
	case nil:
	case []byte:
		body = reply
	case json.RawMessage:
		body = reply
	default:
		var err error
		if body, err = jsonwalk.Marshal(reply); err != nil {
			return nil, fmt.Errorf("encoding the response: %w", err)
		}
	}
	if len(body) == 0 || string(body) == "null" {
		return nil, errNoResponse
	}
	if !jsonwalk.Valid(body) {
		return nil, errors.New("the response is not JSON in UTF-8")
	}
	return body, nil
}
