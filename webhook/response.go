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

// ResponseSigner returns the Authorization header for the answer to a signed question. body is the answer's.
//
// The documentation asks for the header and does not tell how its message is made. The built-in one takes the rules of
// requests, which is what the name of the header means everywhere else: POST, the target at which the question
// arrived, timestamp, nonce, and the answer's body. Should the platform refuse that, WithResponseSigner replaces it.
type ResponseSigner func(ctx context.Context, m *Merchant, d *Delivery, body []byte) (authorization string, err error)

// replyBody is the JSON of an answer to a question.
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
			return nil, fmt.Errorf("encoding the answer: %w", err)
		}
	}
	if len(body) == 0 || string(body) == "null" {
		return nil, errNoAnswer
	}
	if !jsonwalk.Valid(body) {
		return nil, errors.New("the answer is not JSON in UTF-8")
	}
	return body, nil
}
