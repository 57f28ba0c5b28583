package preflight

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
)

// Report has the findings about one call. A nil Report has none.
type Report struct {
	method    string
	path      string // the template as the caller wrote it
	operation *fact.Operation
	catalog   any
	findings  []Finding
	complete  bool // labels and texts are looked up
}

// NewReport returns a report without findings about a call.
func NewReport(method, path string, operation *fact.Operation, catalog any) *Report {
	return &Report{method: method, path: path, operation: operation, catalog: catalog}
}

// suggester is an ability of a catalogue: it names the operations that an unknown path probably
// means, the nearest first.
type suggester interface {
	Nearest(path string, n int) []string
}

// describer is an ability of a catalogue: it knows the labels of the manual.
type describer interface {
	Described() *catalog.Catalog
}

// methodLister is an ability of a catalogue: it knows the methods of a path.
type methodLister interface {
	Methods(path string) []string
}

// Certain reports whether a finding is certain enough to fail the call.
func (r *Report) Certain() bool {
	return r != nil && slices.ContainsFunc(r.findings, func(f Finding) bool { return !f.Warning })
}

// Findings returns all findings in the order of the request. Labels, and suggestions for an unknown
// path, are looked up only here, because that takes long and most findings are told once.
func (r *Report) Findings() []Finding {
	if r == nil || r.complete {
		return r.list()
	}
	var described *fact.Operation
	if known, ok := r.catalog.(describer); ok && r.operation != nil {
		described, _ = known.Described().Lookup(r.method, r.operation.Path)
	}
	for i := range r.findings {
		f := &r.findings[i]
		if f.Text == "" {
			f.Text = "the catalogue does not know it" + r.near() + " (if it is new, that is no mistake)"
		}
		if described != nil && f.Label == "" {
			f.Label = labelIn(described, f)
		}
	}
	r.complete = true
	return r.findings
}

func (r *Report) list() []Finding {
	if r == nil {
		return nil
	}
	return r.findings
}

// labelIn returns the label of the finding's field; empty where there is none.
func labelIn(operation *fact.Operation, f *Finding) string {
	fields := map[string][]fact.Field{
		"path": operation.In.Path, "query": operation.In.Query, "header": operation.In.Header, "body": sensitive.BodyFields(operation),
	}[f.Place]
	label := ""
	for name := range strings.SplitSeq(strings.TrimPrefix(f.Pointer, "/"), "/") {
		i := slices.IndexFunc(fields, func(field fact.Field) bool { return field.Named(name) })
		switch {
		case i >= 0:
			label, fields = fields[i].Label, fields[i].Fields
		case !isIndex(name):
			return ""
		}
	}
	return label
}

// near names the operations that an unknown path probably means: "; near are …", or nothing.
func (r *Report) near() string {
	nearest, ok := r.catalog.(suggester)
	if !ok {
		return ""
	}
	near := ""
	lister, _ := r.catalog.(methodLister)
	for i, template := range nearest.Nearest(r.path, 3) {
		if near += ", "; i == 0 {
			near = "; near are "
		}
		if lister != nil {
			near += strings.Join(lister.Methods(template), "|") + " "
		}
		near += template
	}
	return near
}

// Tell logs the findings that were not logged before. Like every record of this module theirs have
// no value in them.
func (r *Report) Tell(ctx context.Context, logger *slog.Logger, told *Told, template string) {
	if logger == nil || !logger.Enabled(ctx, slog.LevelWarn) {
		return
	}
	const message = "wxpay preflight"
	for i := range r.list() {
		f := &r.findings[i]
		first, last := told.Add(r.method, template, f.Kind, f.Place, f.Pointer)
		if !first {
			continue
		}
		r.Findings()
		logger.LogAttrs(ctx, slog.LevelWarn, message,
			slog.String("method", r.method), slog.String("path", template), slog.String("kind", f.Kind),
			slog.String("place", f.Place), slog.String("pointer", redact.Pointer(f.Pointer)),
			slog.String("label", f.label()), slog.String("finding", f.Text), slog.String("certainty", f.Certainty))
		if last {
			logger.LogAttrs(ctx, slog.LevelWarn, message,
				slog.String("finding", fmt.Sprintf("these were %d findings: this client logs no more", mostTold)))
		}
	}
}

// AddEncrypted reports the fields of the body that were encrypted by marks that no official source
// shows.
func (r *Report) AddEncrypted(pointers []string) {
	for _, pointer := range pointers {
		names := strings.Split(pointer, "/")
		for i := range names {
			if isIndex(names[i]) && i > 0 {
				names[i] = sensitive.Every
			}
		}
		r.findings = append(r.findings, Finding{
			Kind: InferredEncryption, Place: "body", Pointer: pointer, Certainty: inferred, Warning: true,
			Text: fmt.Sprintf("it is encrypted: Plain(%q) sends it as it is", strings.Join(names, "/")),
		})
	}
	r.complete = false
}

// Hint tells the findings of a call that the platform rejected, unless the status gives another
// reason.
func (r *Report) Hint(status int) string {
	switch {
	case len(r.list()) == 0 || status < 400 || status > 499 || status == http.StatusUnauthorized || status == http.StatusTooManyRequests:
		return ""
	case r.findings[0].Kind == UnknownOperation: // and nothing else was found
		return strings.TrimPrefix(r.near(), "; ")
	}
	return Text(r.Findings())
}

// Text tells findings in one line.
func Text[F fmt.Stringer](findings []F) string {
	return "the checks before sending found " + redact.List(findings, F.String)
}
