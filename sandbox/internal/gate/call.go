package gate

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/inprocess"
	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
	"github.com/wxpay-go/wxpay/sandbox/internal/trouble"
)

// maxBody bounds the body of a request, which is read whole to be verified. The platform's own
// bound is not documented.
const maxBody = 16 << 20

// Header is the header that says how a response came about; sandbox.HeaderSandbox documents it.
const Header = "X-Sandbox"

// depth is the value of Header.
func (o *Operation) depth() string {
	if o.canned {
		return "canned"
	}
	return "stateful"
}

// ServeHTTP responds to one request, of whichever merchant.
func (m *Merchant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &Call{started: time.Now(), Merchant: m, Now: m.Clock.Now(), Wired: m.Clock.Wire(), Request: r, Target: r.RequestURI, Language: say.LanguageOf(r.Header.Get("Accept-Language"))}
	if c.Target == "" {
		c.Target = r.URL.RequestURI()
	}
	claimed, _ := apiv3.ParseAuthorization(r.Header.Get("Authorization"))
	if !say.IsBrand(c.Target) {
		if caller := m.Find(claimed.ID); caller != nil {
			c.Merchant, c.trouble.Merchant = caller, caller.ID
		}
	}
	c.Platform = c.platformFor(c.Target)
	c.route()
	readError := c.read(w)
	t := &c.trouble
	t.Method, t.Target, t.Body, t.Claimed, t.Language, t.Wired = r.Method, c.Target, c.Body, claimed.ID, c.Language, c.Wired
	t.Fault = m.Faults.Pick(t)
	if c.before(w) {
		return
	}
	if c.Fault() == fault.Duplicate {
		first := *c
		result, rejected := first.serve(readError)
		first.respond(inprocess.NewRecorder(), result, rejected)
	}
	result, rejected := c.serve(readError)
	c.respond(w, result, rejected)
}

// platformFor returns the keys for a request target.
func (m *Merchant) platformFor(target string) *keyring.Platform {
	if !say.IsBrand(target) {
		return m.Keys.Platform()
	}
	if p := m.Brand.Platform(); p != nil {
		return p
	}
	return &keyring.Platform{Scheme: apiv3.Brand()} // of nobody
}

// read reads the body, which is signed as it is.
func (c *Call) read(w http.ResponseWriter) error {
	if c.Request.Body == nil {
		return nil
	}
	var buffer bytes.Buffer
	if size := c.Request.ContentLength; size > 0 {
		buffer.Grow(int(min(size, 1<<20)) + bytes.MinRead) // the spare room lets ReadFrom see the end without growing
	}
	_, err := buffer.ReadFrom(http.MaxBytesReader(w, c.Request.Body, maxBody))
	c.Body = buffer.Bytes()
	return err
}

// before does what the call's fault does before the platform looks at the request. It reports
// whether that was all.
func (c *Call) before(w http.ResponseWriter) (done bool) {
	t := &c.trouble
	switch t.Fault.Kind {
	case fault.Delay:
		trouble.Wait(c.Request.Context(), t.Fault.Delay)
		c.Now, c.Wired = c.Clock.Now(), c.Clock.Wire() // the platform sees the request now
		t.Wired = c.Wired
	case fault.Refuse, fault.ResetBefore:
		c.record(say.Hex(32), 0, nil, nil, "a fault ended the connection before the request was looked at")
		trouble.Drop(w, t.Fault.Kind)
		return true
	case fault.BadGateway, fault.SignError, fault.NoBody:
		t.Instead = t.Layer()
		c.record(say.Hex(32), t.Instead.Status, t.Instead.Header, t.Instead.Body, "a fault answered in place of the platform")
		t.Instead.Write(w)
		return true
	case fault.Cached:
		c.record(say.Hex(32), t.Instead.Status, t.Instead.Header, t.Instead.Body, "a fault answered with an earlier answer, the request did not reach the platform")
		t.Instead.Write(w)
		return true
	}
	return false
}

// serve makes the checks in the platform's order and carries the call out.
func (c *Call) serve(readError error) (any, *say.Rejection) {
	_, rawQuery, _ := strings.Cut(c.Target, "?")
	switch {
	case !c.known:
		return nil, &say.Rejection{Status: http.StatusNotFound, Bare: true, Reason: "the sandbox knows no such path"}
	case c.Operation == nil:
		return nil, &say.Rejection{Status: http.StatusMethodNotAllowed, Bare: true, Reason: "the path is known, with another method"}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(readError, &tooLarge):
		return nil, &say.Rejection{Status: http.StatusRequestEntityTooLarge, Bare: true, Reason: fmt.Sprintf("the body is larger than %d bytes", maxBody)}
	case readError != nil:
		return nil, say.InvalidRequest(say.Both("读取请求体失败", "failed to read the request body"), "the body did not arrive whole")
	}
	if c.Request.Header.Get("Accept") == "" || c.Request.UserAgent() == "" {
		return nil, say.InvalidRequest(say.Both("Http头缺少Accept或User-Agent", "Accept or User-Agent is missing in the HTTP header"), "Accept or User-Agent is missing or empty")
	}
	if len(c.Operation.In.Form) > 0 {
		if rejected := c.takeApart(); rejected != nil { // without its meta there is nothing to verify
			return nil, rejected
		}
	}
	if !c.Operation.Unsigned {
		if rejected := c.authenticate(); rejected != nil {
			c.explainRejected(rejected)
			return nil, rejected
		}
		if rejected := c.findSerial(); rejected != nil {
			return nil, rejected
		}
		if rejected := c.checkRate(); rejected != nil {
			return nil, rejected
		}
	}
	if rejected := c.checkParameters(rawQuery); rejected != nil {
		return nil, rejected
	}
	if denied := c.trouble.Denial(false); denied != nil {
		return nil, denied
	}
	result, rejected := c.Operation.Do(c)
	if err := c.Book.Lost(); err != nil {
		return nil, say.SystemError(err.Error())
	}
	if denied := c.trouble.Denial(true); denied != nil {
		return nil, denied
	}
	return result, rejected
}

// checkParameters checks path, query, headers and body against the facts of the operation.
func (c *Call) checkParameters(rawQuery string) *say.Rejection {
	for i := range c.Operation.In.Path {
		field := &c.Operation.In.Path[i]
		if _, rejected := c.checkText(say.InPath, field, c.Path[field.Name]); rejected != nil {
			return rejected
		}
	}
	var err error
	if c.Query, err = url.ParseQuery(rawQuery); err != nil {
		return say.FieldError("query", "", rawQuery, say.Unfitting("查询串格式错误", "the query string is malformed"))
	}
	for i := range c.Operation.In.Query {
		field := &c.Operation.In.Query[i]
		values := c.Query[field.Name]
		if c.Query.Get(field.Name) == "" {
			if field.Required {
				return say.FieldError("query", field.Name, "", say.IssueRequired)
			}
			continue
		}
		for i, value := range values {
			checked, rejected := c.checkText("query", field, value)
			if rejected != nil {
				return rejected
			}
			values[i] = checked
		}
	}
	for _, field := range c.Operation.In.Header {
		// Whether the key of encrypted fields is named is seen where one is decrypted; and responses
		// are never compressed.
		if field.Required && field.Name != apiv3.HeaderSerial && field.Name != "Accept-Encoding" && c.Request.Header.Get(field.Name) == "" {
			return say.FieldError("header", field.Name, "", say.IssueRequired)
		}
	}
	if c.Form != nil {
		return c.checkForm()
	}
	fields := c.Operation.In.JSON
	required := func(field fact.Field) bool { return field.Required }
	if len(fields) == 0 || len(c.Body) == 0 && !slices.ContainsFunc(fields, required) {
		return nil
	}
	if rejected := c.parse(); rejected != nil {
		return rejected
	}
	return c.checkObject("", fields, c.Object)
}

// respond journals the call and writes its response.
func (c *Call) respond(w http.ResponseWriter, result any, rejected *say.Rejection) {
	status, number, reason := http.StatusOK, say.NumberSuccess, ""
	var body []byte
	file, isFile := result.(*Stream)
	switch {
	case rejected != nil:
		status, number, reason = rejected.Status, rejected.Number, rejected.Reason
		if !rejected.Bare {
			body = rejected.Body(say.Style{Language: c.Language, Classic: c.ClassicErrors, Label: c.label})
		}
	case result == nil:
		status = c.Operation.Success
	case isFile:
	default:
		status, body = c.Operation.Success, say.JSON(result)
	}
	if rejected == nil && c.Form != nil {
		reason = c.Form.note
	}

	id := say.Hex(32) // a request has one in the journal, whether its response tells it or not
	header := w.Header()
	header["Server"] = []string{"nginx"}
	if !c.Request.Close && c.Request.ProtoMajor == 1 {
		header["Keep-Alive"] = []string{"timeout=8"}
	}
	if rejected == nil || !rejected.Bare {
		header["Cache-Control"] = []string{"no-cache, must-revalidate"}
		header["X-Content-Type-Options"] = []string{"nosniff"}
		header["Content-Language"] = []string{string(c.Language)}
		id = fmt.Sprintf("%s-%d", id, number)
		header[apiv3.HeaderRequestID] = []string{id}
	}
	if c.Operation != nil {
		header[Header] = []string{c.Operation.depth()}
	}
	if body != nil {
		header["Content-Type"] = []string{"application/json; charset=utf-8"}
	}
	if rejected != nil && rejected.After != "" {
		header["Retry-After"] = []string{rejected.After}
	}
	if rejected == nil && isFile {
		c.sendFile(w, id, file)
		return
	}
	if c.Verified {
		c.sign(header, body)
		trouble.Spoil(c.Fault(), header)
	}
	c.record(id, status, header, body, reason)
	c.Faults.Keep(&c.trouble, c.Verified, status, header, body)
	c.trouble.Send(c.Request.Context(), w, status, bytes.NewReader(body), int64(len(body)))
}

// sendFile writes the headers of a file and the file.
func (c *Call) sendFile(w http.ResponseWriter, id string, file *Stream) {
	header := w.Header()
	header["Content-Type"] = []string{file.Content}
	if file.Encoding != "" {
		header["Content-Encoding"] = []string{file.Encoding}
	}
	if file.SHA1 != "" {
		sum := c.Digest(file.SHA1)
		header["Wechatpay-Statement-Sha1"] = []string{sum}
		c.sign(header, []byte(`{"sha1":"`+sum+`"}`))
		trouble.Spoil(c.Fault(), header)
	}
	c.record(id, http.StatusOK, header, nil, "")
	c.trouble.Send(c.Request.Context(), w, http.StatusOK, file.Body, file.Size)
}

// Digest is the hex digest of a file as the call's fault lets it be told.
func (c *Call) Digest(sum string) string { return trouble.Digest(c.Fault(), sum) }

// record writes the call to the journal. status is 0 when there is no response.
func (c *Call) record(id string, status int, header http.Header, body []byte, reason string) {
	entry := journal.Entry{
		ID: id, Time: c.Now, Took: time.Since(c.started), Merchant: c.trouble.Merchant, Method: c.Request.Method, Target: c.Target, Header: c.Request.Header.Clone(), Body: c.Body,
		Status: status, ResponseHeader: header.Clone(), ResponseBody: body, Verified: c.Verified, Reason: reason, Explanation: c.explanation,
		PlatformMessage: c.messages.Platform, ClientMessage: c.messages.Client, Fault: c.Fault(),
	}
	entry = c.Journal.Add(entry)
	if status >= http.StatusBadRequest && reason != "" {
		c.OnRejection.tell(entry)
	}
}

var _ http.Handler = (*Merchant)(nil)
