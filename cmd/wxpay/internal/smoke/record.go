package smoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/atomicfile"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// transcript records a run without anything that identifies a merchant or a person. Every text in it is from a list of this
// file, from the catalogue, or is the name of a field in the spelling of the platform.
type transcript struct {
	mu            sync.Mutex
	step          string
	Form          int             `json:"form"`
	Program       string          `json:"program"`
	Day           string          `json:"day"` // in Beijing
	Gateway       string          `json:"gateway"`
	Steps         []step          `json:"steps"`
	Calls         []*callRecord   `json:"calls"`
	Notifications []*noticeRecord `json:"notifications,omitempty"`
}

// callRecord is one call with all its attempts.
type callRecord struct {
	Step         string            `json:"step"`
	Method       string            `json:"method"`
	Path         string            `json:"path"`               // with its placeholders
	Attempts     []attemptRecord   `json:"attempts,omitempty"` // those that did not simply succeed
	Status       int               `json:"status,omitempty"`
	Code         string            `json:"code,omitempty"`
	Verified     bool              `json:"verified"`
	Trouble      string            `json:"trouble,omitempty"` // why there is no usable response
	Milliseconds int64             `json:"milliseconds"`
	Headers      map[string]string `json:"headers,omitempty"`
	Body         any               `json:"body,omitempty"` // names and types
}

type attemptRecord struct {
	Status  int    `json:"status,omitempty"`
	Code    string `json:"code,omitempty"`
	Outcome string `json:"outcome"`
}

// noticeRecord is one notification that was verified and decrypted.
type noticeRecord struct {
	Event    string            `json:"event"`
	Headers  map[string]string `json:"headers"`
	Body     any               `json:"body"`
	Resource any               `json:"resource"`
}

func newTranscript() *transcript {
	return &transcript{Form: 1, Program: "wxpay " + wxpay.Version, Day: time.Now().In(shell.China).Format(time.DateOnly)}
}

// begin says to which step the next calls belong.
func (t *transcript) begin(step string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.step = step
}

// middleware records each call.
func (t *transcript) middleware(next http.RoundTripper) http.RoundTripper {
	return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		begun := time.Now()
		res, err := next.RoundTrip(req)
		record := &callRecord{Method: req.Method, Milliseconds: time.Since(begun).Milliseconds()}
		if call := middleware.CallFrom(req.Context()); call != nil {
			record.Path, record.Verified = pathOf(call), call.Verified
			for _, a := range call.History {
				record.Attempts = append(record.Attempts, attemptRecord{a.Status, codeOf(a.Code), a.Outcome.String()})
			}
		}
		var untrusted *wxpay.VerifyError
		switch {
		case res != nil:
			record.Status = res.StatusCode
			record.Headers = headersOf(res.Header)
			if _, whole := res.Body.(*middleware.Body); whole && record.Verified {
				if raw, _, err := middleware.ReadBody(res); err == nil {
					record.Body, record.Code = shapeOf(raw), errorCode(res.StatusCode, raw)
				}
			}
		case errors.As(err, &untrusted):
			record.Status, record.Trouble, record.Headers = untrusted.Status, "not verified", headersOf(untrusted.Header)
		case err != nil:
			record.Trouble = "no response"
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		record.Step = t.step
		t.Gateway = gatewayOf(req.URL.Hostname())
		t.Calls = append(t.Calls, record)
		return res, err
	})
}

// pathOf is the path of the catalogue. A path that it does not know, such as that of a download, may have anything in it.
func pathOf(call *middleware.Call) string {
	if call.Operation == nil {
		return "(another path)"
	}
	return call.Operation.Path
}

// gatewayOf tells whether it was the platform.
func gatewayOf(host string) string {
	if fact.IsPlatformHost(host) {
		return "the platform"
	}
	return "another gateway"
}

// errorCode is the code of an error response.
func errorCode(status int, raw []byte) string {
	var said struct{ Code string }
	if status < http.StatusBadRequest || json.Unmarshal(raw, &said) != nil {
		return ""
	}
	return codeOf(said.Code)
}

// codeOf is a code that is documented somewhere.
func codeOf(code string) string {
	known := slices.ContainsFunc(wxcode.All(), func(i wxcode.Info) bool { return string(i.Code) == code })
	if code == "" || known {
		return code
	}
	return "(another code)"
}

// safeHeaders are the headers whose value is shown if it has this form. The others of the platform and of HTTP, which have
// none here, are shown by their name.
var safeHeaders = map[string]*regexp.Regexp{
	"Cache-Control":             regexp.MustCompile(`^no-cache, must-revalidate$`),
	"Connection":                regexp.MustCompile(`^(keep-alive|close)$`),
	"Content-Language":          regexp.MustCompile(`^(zh-CN|en)$`),
	"Content-Type":              regexp.MustCompile(`^(application/(json|octet-stream|x-gzip)|text/(plain|html|csv))(; ?charset=(utf|UTF)-8)?$`),
	"Keep-Alive":                regexp.MustCompile(`^timeout=\d{1,3}$`),
	"Server":                    regexp.MustCompile(`^nginx$`),
	"X-Content-Type-Options":    regexp.MustCompile(`^nosniff$`),
	"Content-Encoding":          regexp.MustCompile(`^gzip$`),
	"Transfer-Encoding":         regexp.MustCompile(`^chunked$`),
	"Retry-After":               regexp.MustCompile(`^\d{1,4}$`),
	"User-Agent":                regexp.MustCompile(`^Mozilla/4\.0$`),
	"Accept":                    regexp.MustCompile(`^\*/\*$`),
	apiv3.HeaderSignatureType:   regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048$`),
	apiv3.HeaderSerial:          nil,
	apiv3.HeaderNonce:           nil,
	apiv3.HeaderSignature:       nil,
	apiv3.HeaderTimestamp:       nil,
	apiv3.HeaderRequestID:       nil,
	"Content-Length":            nil,
	"Content-Disposition":       nil,
	"Date":                      nil,
	"Etag":                      nil,
	"Expires":                   nil,
	"Last-Modified":             nil,
	"Pragma":                    nil,
	"Set-Cookie":                nil,
	"Strict-Transport-Security": nil,
	"Vary":                      nil,
	"Via":                       nil,
	"X-Forwarded-For":           nil,
	"X-Sandbox":                 nil,
}

// headersOf shows headers by name, and by value where that is safe. A header of nobody's knowledge, such as a proxy's with
// the name of its company, is counted only.
func headersOf(header http.Header) map[string]string {
	shown := make(map[string]string)
	others := 0
	for name, values := range header {
		form, known := safeHeaders[name]
		switch {
		case !known:
			others++
		case name == apiv3.HeaderSerial && apiv3.IsPublicKeyID(header.Get(name)):
			shown[name] = "(of the public key)"
		case name == apiv3.HeaderSerial:
			shown[name] = "(of a certificate)"
		case form != nil && len(values) == 1 && form.MatchString(values[0]):
			shown[name] = values[0]
		default:
			shown[name] = "(a value)"
		}
	}
	if others > 0 {
		shown["(others)"] = "(left out)"
	}
	return shown
}

// fieldName is how the platform spells the names of fields. Data that stands in place of a name has another form.
var fieldName = regexp.MustCompile(`^[a-z]{1,20}(_[a-z]{1,20}){0,5}$`)

// shapeOf returns the names and the types of a JSON text.
func shapeOf(raw []byte) any {
	if len(raw) == 0 {
		return "(empty)"
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return "(not JSON)"
	}
	return shape(value)
}

func shape(value any) any {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "number"
		}
		return "integer"
	case []any:
		return shapes(v)
	}
	fields := make(map[string]any)
	for name, field := range value.(map[string]any) {
		if !fieldName.MatchString(name) {
			name = "(another name)"
		}
		fields[name] = shape(field)
	}
	return fields
}

// shapes returns each shape of the elements once.
func shapes(list []any) []any {
	var texts []string
	different := []any{}
	for _, element := range list {
		s := shape(element)
		text, _ := json.Marshal(s) // maps of texts always can
		if !slices.Contains(texts, string(text)) {
			texts, different = append(texts, string(text)), append(different, s)
		}
	}
	return different
}

// headerKey is the key of a notification's header in its context.
type headerKey struct{}

func withHeader(ctx context.Context, header http.Header) context.Context {
	return context.WithValue(ctx, headerKey{}, header)
}

// notified records a notification.
func (t *transcript) notified(ctx context.Context, e *webhook.Event) {
	header, _ := ctx.Value(headerKey{}).(http.Header)
	record := &noticeRecord{e.Type, headersOf(header), shapeOf(e.Raw()), shapeOf(e.Resource())}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Notifications = append(t.Notifications, record)
}

// newRecord returns the file of the transcript, before anything is sent.
func newRecord(path string) (*atomicfile.File, error) {
	file, err := shell.NewFile(path, false)
	if errors.Is(err, fs.ErrExist) {
		return nil, shell.Usage("--record: %s exists already: give another name, or remove it", path)
	}
	if err != nil {
		return nil, shell.Usage("--record: %s cannot be written: %w", path, err)
	}
	return file, nil
}

// write writes the transcript.
func (t *transcript) write(file *atomicfile.File, steps []step) error {
	t.mu.Lock()
	t.Steps = steps
	text, err := json.MarshalIndent(t, "", "  ")
	t.mu.Unlock()
	if err != nil {
		return err
	}
	if _, err := file.Write(append(text, '\n')); err != nil {
		return err
	}
	return file.Commit()
}
