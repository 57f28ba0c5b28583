package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
)

// maxBody bounds the body of a request, which is read whole to be verified. The platform's own bound is not documented.
const maxBody = 16 << 20

// operation is one method and path template: its facts, what the facts do not tell, and what it does.
type operation struct {
	*fact.Operation
	// limits of string members, by JSON Pointer for the body and by name for path and query.
	limits map[string]limit
	// do carries the call out. It returns a *stream, or what is marshalled as the answer; nil is an empty answer.
	do func(*call) (any, *refusal)
	// canned says that do only makes an answer that looks right; see [HeaderSandbox].
	canned bool
}

// depth is the value of [HeaderSandbox].
func (o *operation) depth() string {
	if o.canned {
		return "canned"
	}
	return "stateful"
}

// call is one request on its way through the checks.
type call struct {
	*Sandbox                // as the caller sees it
	merchantID string       // whose request it claims to be; empty if the sandbox does not know them
	platform   *platform    // the keys as they are when the request arrives
	scheme     apiv3.Scheme // of the caller
	now        time.Time    // of the business
	wired      time.Time    // of the wire, when the request arrived
	request    *http.Request
	target     string // as on the request line
	body       []byte
	language   language

	route     match
	routed    bool // the path is known, perhaps with another method
	operation *operation
	path      map[string]string // values of the placeholders, decoded
	query     url.Values
	object    map[string]any // the JSON body, or the meta of an upload; numbers are json.Number, encrypted members are opened
	form      *form          // the multipart body of an upload; nil otherwise

	verified bool   // the request's signature was accepted, so the answer is signed
	serial   string // of the key that signs the answer, and that the request's members are encrypted with
	caller   string // serial of the caller's certificate

	hidden      []string // values that the explanation must not show
	explanation string   // why the request was refused, at length; empty where the reason says all

	fault   Fault       // what goes wrong; the zero value is nothing
	print   fingerprint // of this request, once it was asked for
	drawn   bool        // the next one is set
	before  uint32      // how often this very request came before
	instead *given      // the answer that the caller gets in place of its own; nil for none
}

// ServeHTTP answers one request.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Sandbox: s, now: s.clock(), wired: s.wire(), request: r, target: r.RequestURI, language: languageOf(r.Header.Get("Accept-Language"))}
	if c.target == "" {
		c.target = r.URL.RequestURI()
	}
	if !isBrandPath(c.target) {
		if caller := s.tenants.find(claimedMerchant(r)); caller != nil {
			c.Sandbox, c.merchantID = caller, caller.merchant.ID
		}
	}
	c.platform = c.keysFor(c.target)
	c.scheme = c.platform.scheme
	path, _, _ := strings.Cut(c.target, "?")
	c.route, c.routed = routes().find(r.Method, path)
	readError := c.read(w)
	c.fault = s.faults.pick(c)
	if c.trouble(w) {
		return
	}
	if c.fault.Kind == Duplicate {
		first := *c
		result, refused := first.serve(readError)
		first.answer(&recorder{header: make(http.Header)}, result, refused)
	}
	result, refused := c.serve(readError)
	c.answer(w, result, refused)
}

// read reads the body, which is signed as it is.
func (c *call) read(w http.ResponseWriter) error {
	if c.request.Body == nil {
		return nil
	}
	var buffer bytes.Buffer
	if size := c.request.ContentLength; size > 0 {
		buffer.Grow(int(min(size, 1<<20)) + bytes.MinRead) // the spare room lets ReadFrom see the end without growing
	}
	_, err := buffer.ReadFrom(http.MaxBytesReader(w, c.request.Body, maxBody))
	c.body = buffer.Bytes()
	return err
}

// serve makes the checks in the platform's order and carries the call out.
func (c *call) serve(readError error) (any, *refusal) {
	_, rawQuery, _ := strings.Cut(c.target, "?")
	switch {
	case !c.routed:
		return nil, &refusal{status: http.StatusNotFound, bare: true, reason: "the sandbox knows no such path"}
	case c.route.operation == nil:
		return nil, &refusal{status: http.StatusMethodNotAllowed, bare: true, reason: "the path is known, with another method"}
	}
	c.operation, c.path = c.route.operation, c.route.values

	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(readError, &tooLarge):
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, bare: true, reason: fmt.Sprintf("the body is larger than %d bytes", maxBody)}
	case readError != nil:
		return nil, invalidRequest(text{"读取请求体失败", "failed to read the request body"}, "the body did not arrive whole")
	}
	if c.request.Header.Get("Accept") == "" || c.request.UserAgent() == "" {
		return nil, invalidRequest(text{"Http头缺少Accept或User-Agent", "Accept or User-Agent is missing in the HTTP header"}, "Accept or User-Agent is missing or empty")
	}
	if len(c.operation.In.Form) > 0 {
		if refused := c.takeApart(); refused != nil { // without its meta there is nothing to verify
			return nil, refused
		}
	}
	if !c.operation.Unsigned {
		if refused := c.authenticate(); refused != nil {
			c.explainRefused(refused)
			return nil, refused
		}
		if refused := c.checkSerial(); refused != nil {
			return nil, refused
		}
		if refused := c.checkRate(); refused != nil {
			return nil, refused
		}
	}
	if refused := c.checkParameters(rawQuery); refused != nil {
		return nil, refused
	}
	if denied := c.fault.denial(false); denied != nil {
		return nil, denied
	}
	result, refused := c.operation.do(c)
	if err := c.records.lost(); err != nil {
		r := Fault{Kind: ServerError}.denial(false)
		r.reason = err.Error()
		return nil, r
	}
	if denied := c.fault.denial(true); denied != nil {
		return nil, denied
	}
	return result, refused
}

// answer journals the call and writes its answer.
func (c *call) answer(w http.ResponseWriter, result any, refused *refusal) {
	status, number, reason := http.StatusOK, numberSuccess, ""
	var body []byte
	file, isFile := result.(*stream)
	switch {
	case refused != nil:
		status, number, reason = refused.status, refused.number, refused.reason
		if !refused.bare {
			body = marshal(refused.body(c.language))
		}
	case result == nil:
		status = c.operation.Success
	case isFile:
	default:
		status, body = c.operation.Success, marshal(result)
	}
	if refused == nil && c.form != nil {
		reason = c.form.note
	}

	id := hexText(32) // a request has one in the journal, whether its answer tells it or not
	header := w.Header()
	header["Server"] = []string{"nginx"}
	if !c.request.Close {
		header["Keep-Alive"] = []string{"timeout=8"}
	}
	if refused == nil || !refused.bare {
		header["Cache-Control"] = []string{"no-cache, must-revalidate"}
		header["X-Content-Type-Options"] = []string{"nosniff"}
		header["Content-Language"] = []string{string(c.language)}
		id = fmt.Sprintf("%s-%d", id, number)
		header[apiv3.HeaderRequestID] = []string{id}
	}
	if c.operation != nil {
		header[HeaderSandbox] = []string{c.operation.depth()}
	}
	if body != nil {
		header["Content-Type"] = []string{"application/json; charset=utf-8"}
	}
	if refused != nil && refused.after != "" {
		header["Retry-After"] = []string{refused.after}
	}
	if refused == nil && isFile {
		c.sendFile(w, id, file)
		return
	}
	if c.verified {
		c.sign(header, body)
		c.fault.Kind.spoil(header)
	}
	c.record(id, status, header, body, reason)
	c.faults.keep(c, status, header, body)
	c.send(w, status, bytes.NewReader(body), int64(len(body)))
}

// record writes the call to the journal. status is 0 when there is no answer.
func (c *call) record(id string, status int, header http.Header, body []byte, reason string) {
	entry := Entry{
		ID: id, Time: c.now, Merchant: c.merchantID, Method: c.request.Method, Target: c.target, Header: c.request.Header.Clone(), Body: c.body,
		Status: status, ResponseHeader: header.Clone(), ResponseBody: body, Verified: c.verified, Reason: reason, Explanation: c.explanation, Fault: c.fault.Kind,
	}
	c.journal.add(entry)
	if refused := c.refusals.Load(); refused != nil && status >= http.StatusBadRequest && reason != "" {
		(*refused)(entry)
	}
}

// marshal writes JSON as the platform does, without escaping HTML.
func marshal(value any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("sandbox: an answer cannot be written as JSON: %v", err)) // answers are made of plain types
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

var _ http.Handler = (*Sandbox)(nil)
var _ io.Closer = (*Server)(nil)
