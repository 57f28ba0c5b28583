package webhook

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// savedNotification is a notification that was saved to a file.
type savedNotification struct {
	header http.Header
	body   []byte
	// remark tells what is unusual about the saved body; nil is nothing.
	remark error
	// open says that the end of the body is unknown, so line breaks at its end may be the file's.
	open bool
}

// readNotification reads a notification in one of the two forms that the help of webhook verify describes. A body in base64
// is decoded. No error repeats text of the file.
func readNotification(data []byte) (*savedNotification, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch start := bytes.TrimLeft(data, " \t\r\n"); {
	case len(start) == 0:
		return nil, shell.Say("it is empty")
	case start[0] == '{':
		return readJSONNotification(start)
	case start[0] == '<':
		return nil, shell.Say("it begins like XML: that is a body alone, and of the old API (v2), which has no " +
			"Wechatpay headers")
	default:
		return readRawNotification(start)
	}
}

// readJSONNotification reads {"headers": {…}, "body": …}.
func readJSONNotification(data []byte) (*savedNotification, error) {
	var saved struct {
		Headers, Header   map[string]headerValues
		MultiValueHeaders map[string]headerValues // of gateways, whose headers have one value each
		Body              json.RawMessage
		IsBase64Encoded   bool // of gateways
	}
	if err := json.Unmarshal(data, &saved); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, shell.Say("it begins like JSON, but is not JSON from byte %d on", syntax.Offset)
		}
		return nil, shell.Say(`its JSON is not of the form {"headers": {"Name": "value" or ["value"]}, "body": "…"}`)
	}
	switch {
	case saved.MultiValueHeaders != nil:
		saved.Headers = saved.MultiValueHeaders
	case saved.Headers == nil:
		saved.Headers = saved.Header
	}
	if saved.Headers == nil {
		return nil, shell.Say(`its JSON has no field "headers": a body alone cannot be verified, for the signature is in the headers`)
	}
	n := &savedNotification{header: make(http.Header)}
	for name, values := range saved.Headers {
		for _, value := range values {
			n.header.Add(name, value)
		}
	}
	switch text := ""; {
	case len(saved.Body) == 0 || string(saved.Body) == "null":
		return nil, shell.Say(`its JSON has no field "body"`)
	case saved.Body[0] == '"':
		if err := json.Unmarshal(saved.Body, &text); err != nil {
			return nil, shell.Say(`its field "body" is not a text`)
		}
		n.body = []byte(text)
		if plain, ok := unwrapped(n.body, saved.IsBase64Encoded); ok {
			n.body, n.remark = plain, inBase64
		} else if saved.IsBase64Encoded {
			return nil, shell.Say(`its field "isBase64Encoded" is true, but its field "body" is not base64`)
		}
	default:
		n.body = saved.Body
		n.remark = shell.Say("the body was saved as JSON, not as a text: that may have changed its bytes")
	}
	return n, nil
}

var inBase64 = shell.Say("the body was saved in base64, as gateways do, and is decoded here")

// unwrapped decodes a body that is known to be base64, or that is JSON in base64. A notification is JSON, and JSON with an
// object is not base64, so one is never taken for the other.
func unwrapped(body []byte, known bool) ([]byte, bool) {
	text := strings.Join(strings.Fields(string(body)), "")
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	return plain, known || bytes.HasPrefix(bytes.TrimSpace(plain), []byte("{"))
}

// headerValues are the values of one header: a text, or several in an array.
type headerValues []string

func (v *headerValues) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(v))
	}
	*v = make([]string, 1)
	return json.Unmarshal(data, &(*v)[0])
}

// readRawNotification reads an HTTP request: a request line, which may be missing, headers, an empty line, the body.
func readRawNotification(data []byte) (*savedNotification, error) {
	n := &savedNotification{header: make(http.Header)}
	rest, number, last := data, 0, ""
	for {
		number++
		line, after, found := bytes.Cut(rest, []byte("\n"))
		rest = after
		text := strings.TrimSuffix(string(line), "\r")
		if text == "" {
			break
		}
		name, value, ok := strings.Cut(text, ":")
		switch {
		case number == 1 && isRequestLine(text):
		case last != "" && (text[0] == ' ' || text[0] == '\t'): // a continued line
			values := n.header[last]
			values[len(values)-1] += " " + strings.TrimSpace(text)
		case !ok || name == "" || strings.ContainsAny(name, " \t\"{"):
			return nil, shell.Say("line %d is not a header (Name: value); an empty line divides headers and body", number)
		default:
			last = http.CanonicalHeaderKey(name)
			n.header[last] = append(n.header[last], strings.TrimSpace(value))
		}
		if !found {
			return nil, shell.Say("it ends within the headers: an empty line and the body are missing")
		}
	}
	n.setBody(rest)
	return n, nil
}

func isRequestLine(text string) bool {
	words := strings.Fields(text)
	return len(words) >= 2 && strings.ToUpper(words[0]) == words[0] && !strings.Contains(words[0], ":")
}

// setBody takes the body from the text after the headers.
func (n *savedNotification) setBody(rest []byte) {
	n.body = rest
	if plain, ok := unwrapped(rest, false); ok {
		n.body, n.remark = plain, inBase64
		return
	}
	if strings.EqualFold(n.header.Get("Transfer-Encoding"), "chunked") {
		if body, err := io.ReadAll(httputil.NewChunkedReader(bufio.NewReader(bytes.NewReader(rest)))); err == nil {
			n.body = body
			return
		}
	}
	length, err := strconv.Atoi(n.header.Get("Content-Length"))
	switch {
	case err != nil || length < 0:
		n.open = true
	case length > len(rest):
		n.remark = shell.Say("Content-Length is %d, but the body has %d bytes: it was cut or changed", length, len(rest))
	case len(bytes.TrimSpace(rest[length:])) > 0:
		n.remark = shell.Say("Content-Length is %d, but more than line breaks follows: it was changed", length)
	default:
		n.body = rest[:length]
	}
}
