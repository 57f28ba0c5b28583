package fleet

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// Job is one call to make, once.
type Job struct {
	// Method is POST if it is empty. A POST is carried out by Chain.Ensure; other methods are sent
	// as they are.
	Method string `json:"method,omitempty"`
	// Path is the template as the manual prints it, such as v3/refund/domestic/refunds.
	Path string `json:"path"`
	// Vars fill the placeholders of Path.
	Vars map[string]string `json:"vars,omitempty"`
	// Query is the query string. Its fields travel sorted by name.
	Query map[string][]string `json:"query,omitempty"`
	// Body is the JSON text that is sent, as it is but for the encryption of marked fields; nil
	// for none.
	Body json.RawMessage `json:"body,omitempty"`
	// Number is the merchant's own number of the job: with the caller's identity and the kind of
	// number it is what a job is known by, for good. If it is empty, it is read from the request,
	// where the catalogue knows which field it is.
	Number string `json:"number,omitempty"`
	// Order, if it is not empty, makes the jobs with the same one run one after another, as they
	// were submitted. One whose outcome is unknown holds up those behind it.
	Order string `json:"order,omitempty"`
	// Expires, unless zero, is when a job that has not begun is not worth making any more.
	Expires time.Time `json:"expires,omitzero"`
	// File and Line tell where the job comes from, for reports.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Source is the line itself, for those who write down what was rejected. It is not kept.
	Source *Source `json:"-"`
}

// Source is a line of a file as it is there.
type Source struct {
	// Cells are the fields of a row of a table; nil for other lines, and for one that has no fields
	// that can be told.
	Cells []string
	// Text is the line where Cells is nil.
	Text string
}

// Format prints nothing of the line.
func (s *Source) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "a line of a file") }

// Format prints method and path under every verb: the rest holds identities.
func (j Job) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "fleet.Job{%s %s}", j.Method, j.Path) }

// maxJob bounds the JSON text of a job, in bytes: sealed it has to fit into one message of
// JetStream, which takes 1 MiB unless configured otherwise.
const maxJob = 512 << 10

// own returns the job with a copy of what its maker may use again for the next one.
func (j Job) own() Job {
	j.Body, j.Vars, j.Query = bytes.Clone(j.Body), maps.Clone(j.Vars), maps.Clone(j.Query)
	for name, values := range j.Query {
		j.Query[name] = slices.Clone(values)
	}
	return j
}

// chain is the call of the job.
func (j *Job) chain(client *wxpay.Client) wxpay.Chain {
	return client.Chain(j.Path).Vars(j.Vars).Queries(j.Query)
}

// body is what the verbs take.
func (j *Job) body() any {
	if j.Body == nil {
		return nil
	}
	return []byte(j.Body)
}

// stale reports whether the job's time is over.
func (j *Job) stale(now time.Time) bool { return !j.Expires.IsZero() && now.After(j.Expires) }

// facts returns what the catalogue knows of the job's operation, nil if nothing.
func (j *Job) facts() *fact.Operation {
	operation, _ := catalog.V3().Lookup(cmp.Or(j.Method, http.MethodPost), "/"+strings.TrimPrefix(j.Path, "/"))
	return operation
}

// complete checks the job by itself and fills what it leaves to be found.
func (j *Job) complete() error {
	if j.Method == "" {
		j.Method = http.MethodPost
	}
	if j.Path == "" {
		return errors.New("the path is missing")
	}
	if len(j.Body) > maxJob {
		return fmt.Errorf("the body has %d bytes, at most %d are taken", len(j.Body), maxJob)
	}
	switch _, err := jsonwalk.Read(j.Body); {
	case j.Body == nil:
	case errors.Is(err, jsonwalk.ErrNotJSON) || !utf8.Valid(j.Body):
		return errors.New("the body is not JSON in UTF-8")
	case err != nil: // the platform may read another field than the one with the number
		return fmt.Errorf("the body: %w", err)
	}
	if bytes.Contains(j.Body, secretMark()) {
		return errors.New("the body holds a Secret, which no other process can open: put the text itself, a job is sealed where it is kept")
	}
	operation := j.facts()
	if j.Number == "" {
		if operation == nil || operation.Number.Field == "" {
			return errors.New("it is not known which field holds the merchant's own number: name it")
		}
		if j.Number = j.value(operation.Number.Field); j.Number == "" {
			return fmt.Errorf("the merchant's own number is missing: it is expected in %s", operation.Number.Field)
		}
	}
	if why := spoilt(j.Number); why != "" {
		return fmt.Errorf("the merchant's own number: %s", why)
	}
	if j.Order == "" && absolute(operation) {
		return errors.New("it sets an absolute value, so a late one would overwrite a newer one: give an order, such as that of the field user_card_code")
	}
	return nil
}

// secretMark begins the token that stands for a [wxpay.Secret] in JSON.
var secretMark = sync.OnceValue(func() []byte {
	token, _ := wxpay.Secret("x").MarshalText()
	return token[:bytes.LastIndexByte(token, '.')+1]
})

// absolute reports whether an operation sets a field to an absolute value, so that a late repeat
// of an older one undoes a newer one: point_balance of a member's card.
func absolute(o *fact.Operation) bool {
	return o != nil && o.Method != http.MethodGet && slices.ContainsFunc(o.In.JSON, func(f fact.Field) bool { return f.Name == "point_balance" })
}

// value reads a scalar of the request as text: a field of the body by its dotted path, or a
// placeholder in braces.
func (j *Job) value(source string) string {
	if name, ok := fact.Placeholder(source); ok {
		return j.Vars[name]
	}
	switch value := gjson.GetBytes(j.Body, source); value.Type {
	case gjson.String:
		return value.String()
	case gjson.Number:
		return value.Raw
	}
	return ""
}

// space is what the job's number is unique among.
func (j *Job) space() string {
	if o := j.facts(); o != nil && o.Number.Space != "" {
		return o.Number.Space
	}
	return j.Method + " /" + strings.TrimPrefix(j.Path, "/")
}

// check makes the checks before sending, which need no key.
func (j *Job) check(ctx context.Context, client *wxpay.Client) error {
	err := j.chain(client).Check(ctx, j.Method, j.body())
	var refused *wxpay.PreflightError
	if errors.As(err, &refused) {
		return refused
	}
	var mistake *wxpay.CallError
	if errors.As(err, &mistake) {
		return mistake.Err
	}
	return err
}

// key is what the job is known by: the digest of identity, number space and number.
func (j *Job) key(d digester, identity string) string {
	return d.digest("job", identity, j.space(), j.Number)
}

// content is a digest of all that is sent, so that the same key with something else can be told.
// White space does not count.
func (j *Job) content(d digester) string {
	var target strings.Builder
	for _, name := range slices.Sorted(maps.Keys(j.Vars)) {
		target.WriteString(name + "\x01" + j.Vars[name] + "\x01")
	}
	target.WriteString("\x02")
	for _, name := range slices.Sorted(maps.Keys(j.Query)) {
		target.WriteString(name + "\x01" + strings.Join(j.Query[name], "\x01") + "\x02")
	}
	var body bytes.Buffer
	if j.Body != nil {
		_ = json.Compact(&body, j.Body) // it was found to be JSON
	}
	return d.digest("content", j.Method, strings.TrimPrefix(j.Path, "/"), target.String(), body.String())
}

// lane names the jobs with the same order, empty for a job without one.
func (j *Job) lane(d digester) string {
	if j.Order == "" {
		return ""
	}
	return d.digest("lane", j.Order)
}

// LineError is one job, or line of a file, that was not queued. Nothing of what the line says is in
// its text.
type LineError struct {
	File string
	Line int
	Err  error
	// Source is the line itself, nil if the job was not made of one. A cell that would look right
	// when it is read again, such as a number that has lost digits, has #VALUE! in front.
	Source *Source
}

func (e *LineError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("%s, line %d: %v", e.File, e.Line, e.Err)
}

// Unwrap returns what is wrong.
func (e *LineError) Unwrap() error { return e.Err }
