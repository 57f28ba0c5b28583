package wxpay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// PreflightMode says what becomes of the findings of the checks before sending.
type PreflightMode uint8

const (
	// PreflightOff makes no checks.
	PreflightOff PreflightMode = iota
	// PreflightWarn logs findings at level Warn and sends all the same. It is the default.
	PreflightWarn
	// PreflightStrict refuses a call with findings that are certain enough ([Finding].Warning tells), before anything is sent:
	// its error is a *[PreflightError]. All others are logged.
	PreflightStrict
)

// FindingKind is a sort of finding.
type FindingKind string

// Kinds of findings. These can refuse a call under PreflightStrict.
const (
	// NotJSON: the body cannot be read. It rests on the JSON standard.
	NotJSON FindingKind = "not JSON"
	// WrongScheme: the client signs as a merchant and the path is a brand's, or the other way round. It rests on the client and
	// the path: /brand/ is what the platform keeps for brands.
	WrongScheme FindingKind = "wrong scheme"
	// SupplementaryCharacter: an emoji or another character beyond the Basic Multilingual Plane. It rests on a rule of the
	// protocol.
	SupplementaryCharacter FindingKind = "supplementary character"
	// WrongType: another JSON type than the documented one, or a text that is no number. It rests on the documentation, which
	// no source contradicts; it warns only where the operation's members are inferred.
	WrongType FindingKind = "wrong type"
	// MissingField: a required member is not there. It refuses what a second, independent source requires too
	// (fact.Field.Confirmed), and what the user's own overlay requires. It warns where the documentation alone requires the
	// member, which may be conditional in reality, and where the operation's members are inferred.
	MissingField FindingKind = "missing field"
	// UnknownConstant: a value that is none of the documented ones. It rests on the documentation, whose lists go stale, and
	// warns, unless the list was reviewed as complete (fact.Field.Reviewed).
	UnknownConstant FindingKind = "unknown constant"
)

// These warn only: the platform may know more than the catalogue does.
const (
	// UnknownOperation: neither this path nor one with other names of placeholders is in the catalogue.
	UnknownOperation FindingKind = "unknown operation"
	// UnknownMethod: the catalogue has the path with other methods.
	UnknownMethod FindingKind = "unknown method"
	// UnknownField: the documentation lists no such member.
	UnknownField FindingKind = "unknown field"
	// OfflineOperation and SupersededOperation rest on the documentation's notices.
	OfflineOperation    FindingKind = "offline operation"
	SupersededOperation FindingKind = "superseded operation"
	// WrongHost: the documentation names another host as the only one that serves the operation.
	WrongHost FindingKind = "wrong host"
	// OutOfBounds: a text is shorter or longer, or a number less or greater, than some source says.
	OutOfBounds FindingKind = "out of bounds"
	// InferredEncryption: a member was encrypted because that of a sister operation is; no official source shows it. It is
	// found when the call is encrypted, not by [Chain.Check].
	InferredEncryption FindingKind = "inferred encryption"
)

var findingKinds = []FindingKind{
	NotJSON, WrongScheme, SupplementaryCharacter, WrongType, MissingField, UnknownConstant,
	UnknownOperation, UnknownMethod, UnknownField, OfflineOperation, SupersededOperation, WrongHost, OutOfBounds, InferredEncryption,
}

// Finding is one thing that a check before sending found. No value of the request is in it.
type Finding struct {
	Kind FindingKind
	// Place is the part of the request: "operation", "path", "query", "header" or "body".
	Place string
	// Pointer is the JSON pointer of a member of the body, and a slash with the name of anything else. It is empty for what
	// concerns the operation or the body as a whole.
	Pointer string
	// Label is the member's short name in the manual, such as 总金额, and Unit the unit of a number, where they are known.
	Label string
	Unit  fact.Unit
	// Text tells what is wrong and what to do.
	Text string
	// Certainty tells in words what the finding rests on: "confirmed by a second source", "the documentation alone says so",
	// "inferred from a sister operation", "your overlay says so". It is empty where there is no doubt.
	Certainty string
	// Warning says that the finding is not certain enough to refuse the call.
	Warning bool
}

// String returns place, pointer, label, unit, text and certainty.
func (f Finding) String() string {
	s := f.Place
	if f.Pointer != "" {
		s += " " + redact.Pointer(f.Pointer)
	}
	if label := f.label(); label != "" {
		s += " (" + label + ")"
	}
	s += ": " + f.Text
	if f.Certainty != "" {
		s += " (" + f.Certainty + ")"
	}
	return s
}

func (f Finding) label() string {
	if f.Label != "" && f.Unit != "" {
		return f.Label + ", " + string(f.Unit)
	}
	return f.Label + string(f.Unit)
}

// PreflightError is a call that PreflightStrict refused. Nothing was sent. It is the cause inside a *[CallError] of stage
// StageBuild.
type PreflightError struct {
	// Findings holds every finding, warnings too, in the order of the request.
	Findings []Finding
}

func (e *PreflightError) Error() string {
	return "the checks before sending found " + listed(e.Findings, Finding.String)
}

// WithPreflight says what becomes of what the checks before sending find: every call is checked against the catalogue
// ([WithCatalog]). The default is PreflightWarn. PreflightStrict refuses what is certain: a call that contradicts itself or a
// rule of the protocol, a JSON type that no source allows, a missing member that two independent sources require. Everything
// else is a warning; [FindingKind] tells what each rests on. Kinds of findings that get in your way can be silenced:
//
//	wxpay.WithPreflight(wxpay.PreflightStrict, wxpay.UnknownField, wxpay.SupersededOperation)
//
// Findings are logged to the logger of [WithLogger], and nowhere without one: each once for its operation and place, so that
// neither the next call nor the next element of an array says it again; after 1000 a client logs no more. Whether logged or
// not, the findings of a call that the platform refuses stand in its error ([APIError].Hint).
func WithPreflight(mode PreflightMode, silenced ...FindingKind) Option {
	return func(c *config) error {
		if mode > PreflightStrict {
			return fmt.Errorf("WithPreflight: the mode %d is not one of PreflightOff, PreflightWarn, PreflightStrict", mode)
		}
		for _, kind := range silenced {
			if !slices.Contains(findingKinds, kind) {
				return fmt.Errorf("WithPreflight: %s is no kind of finding", redact.Quote(string(kind)))
			}
		}
		c.preflight, c.silenced, c.plans, c.told = mode, slices.Clone(silenced), nil, nil
		return nil
	}
}

// Check makes the checks that [Chain.Do] would make, and nothing else: nothing is encrypted, signed or sent, so that it costs
// microseconds, and a million calls can be checked before the first of them is made. It finds every mistake of the chain and
// the body that needs no key, and reports findings as [WithPreflight] says: as an error only under PreflightStrict. Such an
// error is a *[CallError] of stage StageBuild.
func (c Chain) Check(ctx context.Context, method string, body any) error {
	f := &flight{client: c.client}
	f.Method = method
	if _, _, err := c.fill(ctx, f, body); err != nil {
		return c.mistake(f, err)
	}
	return nil
}

// suggester is what a catalogue may offer beyond Lookup, so that a finding about an unknown path can name those that were
// probably meant: templates, the nearest first, n at most.
type suggester interface {
	Nearest(path string, n int) []string
}

// describer is what a catalogue may offer beyond Lookup, so that findings name members as the manual does.
type describer interface {
	Described() *catalog.Catalog
}

// methodLister is what a catalogue may offer beyond Lookup, so that a finding about a wrong method can name the right ones.
type methodLister interface {
	Methods(path string) []string
}

// check looks at the call before anything is encrypted or sent. path is the template as the caller wrote it.
func (f *flight) check(ctx context.Context, path string, query []*setting, variables []variable) error {
	k := preflights.Get().(*preflight)
	k.silenced = f.client.silenced
	k.operation(f, path)
	if f.Operation != nil {
		k.inferred = f.Operation.Inferred
		k.parameters(f, query, variables)
		k.body(f)
	}
	list := k.findings
	clear(k.place[:cap(k.place)]) // names are pieces of the body
	*k = preflight{place: k.place[:0]}
	preflights.Put(k)
	if len(list) == 0 {
		return nil
	}
	f.found = &found{path: path, list: list}
	if f.client.preflight == PreflightStrict && slices.ContainsFunc(list, func(f Finding) bool { return !f.Warning }) {
		return &PreflightError{f.findings()}
	}
	f.tell(ctx)
	return nil
}

// found is what a check found about a call.
type found struct {
	path string // the template as the caller wrote it
	list []Finding
	told bool // they are complete; see findings
}

// preflights are kept, so that a check without findings allocates nothing.
var preflights = sync.Pool{New: func() any { return new(preflight) }}

// findings returns what the check found. Labels, and what was probably meant by an unknown path, are looked up only here,
// because that takes long and most findings are told once.
func (f *flight) findings() []Finding {
	var described *fact.Operation
	if facts, ok := f.client.facts().(describer); ok && f.Operation != nil && !f.found.told {
		described, _ = facts.Described().Lookup(f.Method, f.Operation.Path)
	}
	for i := range f.found.list {
		finding := &f.found.list[i]
		if finding.Text == "" {
			finding.Text = "the catalogue does not know it" + f.near() + " (if it is new, that is no mistake)"
		}
		if described != nil && finding.Label == "" {
			finding.Label = finding.labelIn(described)
		}
	}
	f.found.told = true
	return f.found.list
}

// labelIn returns the label of the finding's member; empty where there is none.
func (f *Finding) labelIn(operation *fact.Operation) string {
	fields := map[string][]fact.Field{"path": operation.In.Path, "query": operation.In.Query, "header": operation.In.Header, "body": bodyFields(operation)}[f.Place]
	label := ""
	for name := range strings.SplitSeq(strings.TrimPrefix(f.Pointer, "/"), "/") {
		i := slices.IndexFunc(fields, func(m fact.Field) bool { return named(&m, name) })
		switch {
		case i >= 0:
			label, fields = fields[i].Label, fields[i].Fields
		case strings.Trim(name, "0123456789") != "": // no index of an array
			return ""
		}
	}
	return label
}

// near names what an unknown path was probably meant to be: "; near are …", or nothing.
func (f *flight) near() string {
	facts := f.client.facts()
	nearest, ok := facts.(suggester)
	if !ok {
		return ""
	}
	near := ""
	lister, _ := facts.(methodLister)
	for i, template := range nearest.Nearest(f.found.path, 3) {
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

// tell logs the findings that were not logged before. Like every record of this package theirs have no value in them.
func (f *flight) tell(ctx context.Context) {
	logger := f.client.logger
	if logger == nil || !logger.Enabled(ctx, slog.LevelWarn) {
		return
	}
	for i := range f.found.list {
		first, last := f.client.told.add(f.Method, f.Template, &f.found.list[i])
		if !first {
			continue
		}
		finding := f.findings()[i]
		logger.LogAttrs(ctx, slog.LevelWarn, "wxpay preflight",
			slog.String("method", f.Method), slog.String("path", f.Template), slog.String("kind", string(finding.Kind)),
			slog.String("place", finding.Place), slog.String("pointer", redact.Pointer(finding.Pointer)),
			slog.String("label", finding.label()), slog.String("finding", finding.Text), slog.String("certainty", finding.Certainty))
		if last {
			logger.LogAttrs(ctx, slog.LevelWarn, "wxpay preflight", slog.String("finding", fmt.Sprintf("these were %d findings: this client logs no more", mostTold)))
		}
	}
}

// inferredEncryption reports the members that were encrypted by marks that no official source shows.
func (f *flight) inferredEncryption(ctx context.Context, pointers []string) {
	if len(pointers) == 0 || f.client.preflight == PreflightOff || slices.Contains(f.client.silenced, InferredEncryption) {
		return
	}
	if f.found == nil {
		f.found = &found{path: f.Template}
	}
	for _, pointer := range pointers {
		names := strings.Split(pointer, "/")
		for i := range names {
			if strings.Trim(names[i], "0123456789") == "" && i > 0 {
				names[i] = every
			}
		}
		f.found.list = append(f.found.list, Finding{
			Kind: InferredEncryption, Place: "body", Pointer: pointer, Certainty: inferred, Warning: true,
			Text: fmt.Sprintf("it is encrypted: Plain(%q) sends it as it is", strings.Join(names, "/")),
		})
	}
	f.found.told = false
	f.tell(ctx)
}

// hint tells the findings of a call that the platform refused, unless the reason is another.
func (f *flight) hint(status int) string {
	switch {
	case f.found == nil || status < 400 || status > 499 || status == http.StatusUnauthorized || status == http.StatusTooManyRequests:
		return ""
	case f.found.list[0].Kind == UnknownOperation: // and nothing else was found
		return strings.TrimPrefix(f.near(), "; ")
	}
	return "the checks before sending found " + listed(f.findings(), Finding.String)
}

// told remembers, as hashes, the findings that were logged.
type told struct {
	mu   sync.Mutex
	seed maphash.Seed
	keys map[uint64]struct{}
}

// mostTold is how many findings a client logs: a bound for its memory, and for the log of a program whose members are made up
// as it runs.
const mostTold = 1000

func newTold() *told { return &told{seed: maphash.MakeSeed(), keys: make(map[uint64]struct{})} }

// add reports whether a finding was not logged before, at its place in any element of an array, and is to be logged now;
// last says that it is the last one.
func (t *told) add(method, template string, finding *Finding) (first, last bool) {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for _, part := range [...]string{method, template, string(finding.Kind), finding.Place} {
		h.WriteString(part)
		h.WriteByte(0)
	}
	for part := range strings.SplitSeq(finding.Pointer, "/") {
		if strings.Trim(part, "0123456789") != "" {
			h.WriteString(part)
		}
		h.WriteByte('/')
	}
	key := h.Sum64()
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.keys[key]; known || len(t.keys) >= mostTold {
		return false, false
	}
	t.keys[key] = struct{}{}
	return true, len(t.keys) == mostTold
}

// preflight collects findings about one call.
type preflight struct {
	jsonwalk.Cursor
	where    string // the part of the request that place is in
	param    string // the name of a parameter that is not in the body; place goes on inside of it
	place    place
	silenced []FindingKind
	inferred bool // no official source shows the members
	findings []Finding
}

// What findings rest on.
const (
	confirmed  = "confirmed by a second source"
	documented = "the documentation alone says so"
	widest     = "the widest bounds that any source gives"
	inferred   = "inferred from a sister operation; no official source shows it"
	ownWord    = "your overlay says so"
)

// report adds a finding about the place where k stands that no facts of a member stand behind.
func (k *preflight) report(kind FindingKind, text string) {
	k.add(Finding{Kind: kind, Text: text, Warning: slices.Index(findingKinds, kind) >= slices.Index(findingKinds, UnknownOperation)})
}

// reportOf adds a finding that rests on the facts of the member where k stands. sure says that they are enough to refuse a
// call, unless they are inferred.
func (k *preflight) reportOf(m *fact.Field, kind FindingKind, sure bool, text, certainty string) {
	switch {
	case m.Overlay:
		certainty = ownWord
	case k.inferred:
		sure, certainty = false, inferred
	}
	k.add(Finding{Kind: kind, Label: m.Label, Unit: m.Unit, Text: text, Certainty: certainty, Warning: !sure})
}

func (k *preflight) pointer() string {
	if k.param == "" {
		return k.place.pointer()
	}
	return place{{name: []byte(k.param)}}.pointer() + k.place.pointer()
}

func (k *preflight) add(finding Finding) {
	if !slices.Contains(k.silenced, finding.Kind) {
		finding.Place, finding.Pointer = k.where, k.pointer()
		k.findings = append(k.findings, finding)
	}
}

// operation checks what can be said of the call without looking at its members.
func (k *preflight) operation(f *flight, path string) {
	k.where = "operation"
	operation, base := f.Operation, f.client.base
	if text := f.client.wrongScheme(operation, path); text != "" {
		k.report(WrongScheme, text)
	} else if operation == nil {
		k.unknown(f, path)
	}
	if operation == nil {
		return
	}
	instead := ""
	if len(operation.ReplacedBy) > 0 {
		instead = "; instead: " + strings.Join(operation.ReplacedBy, ", ")
	}
	switch operation.Status {
	case fact.Offline:
		k.report(OfflineOperation, "it is shut down"+instead)
	case fact.Superseded:
		k.report(SupersededOperation, "it is superseded"+instead)
	}
	if operation.HostRequired && base.Host != operation.Host && !loopback(base.Hostname()) {
		k.report(WrongHost, "only https://"+operation.Host+" serves it: make a client with WithBaseURL")
	}
}

// unknown reports a call that the catalogue does not know. The text of an unknown path is made when it is told.
func (k *preflight) unknown(f *flight, path string) {
	if lister, ok := f.client.facts().(methodLister); ok {
		if known := lister.Methods(path); len(known) > 0 {
			k.report(UnknownMethod, "the path is known with "+strings.Join(known, ", ")+" only")
			return
		}
	}
	k.report(UnknownOperation, "")
}

// missing reports that a required member is not there.
func (k *preflight) missing(m *fact.Field, remedy string) {
	if len(m.Alt) > 0 {
		remedy = " (also as " + strings.Join(m.Alt, ", ") + ")"
	}
	certainty := documented
	if m.Confirmed {
		certainty = confirmed
	}
	k.reportOf(m, MissingField, m.Sure(), "it is missing and documented as required"+remedy, certainty)
}

// mistyped reports a value of another type.
func (k *preflight) mistyped(m *fact.Field, text string) { k.reportOf(m, WrongType, true, text, "") }

// bounds reports a text with another number of characters, or a number, than m gives bounds for.
func (k *preflight) bounds(m *fact.Field, is int64, characters bool) {
	if (m.Min == 0 || is >= m.Min) && (m.Max == 0 || is <= m.Max) {
		return
	}
	var text string
	switch {
	case m.Max == 0:
		text = fmt.Sprintf("at least %d", m.Min)
	case m.Min == 0:
		text = fmt.Sprintf("at most %d", m.Max)
	default:
		text = fmt.Sprintf("%d to %d", m.Min, m.Max)
	}
	if characters {
		text = fmt.Sprintf("its length is %d, and %s characters are documented", is, text)
	} else {
		text = "it is documented as " + text
	}
	k.reportOf(m, OutOfBounds, false, text, widest)
}

// parameters checks path, query and header.
func (k *preflight) parameters(f *flight, query []*setting, variables []variable) {
	in := &f.Operation.In
	at := func(where, name string) { k.where, k.param = where, name }
	for i := range in.Path {
		for _, v := range variables {
			if v.name == in.Path[i].Name && !v.raw {
				at("path", v.name)
				k.text(&member{Field: &in.Path[i]}, v.value)
			}
		}
	}
	for _, q := range slices.Backward(query) {
		at("query", q.name)
		m := f.plan.query.find([]byte(q.name))
		if m == nil {
			k.report(UnknownField, "the operation documents no such member")
			continue
		}
		for _, value := range q.values {
			k.text(m, value)
		}
	}
	for i := range in.Query {
		m := &in.Query[i]
		if m.Required && !slices.ContainsFunc(query, func(q *setting) bool { return len(q.values) > 0 && named(m, q.name) }) {
			at("query", m.Name)
			k.missing(m, fmt.Sprintf(": call Query(%q, …)", m.Name))
		}
	}
	for i := range in.Header {
		m := &in.Header[i]
		if !m.Required || m.Name == apiv3.HeaderSerial { // which the client sends with every call
			continue
		}
		set := false
		for h := f.header; h != nil && !set; h = h.before {
			set = h.kind == settingHeader && h.name == http.CanonicalHeaderKey(m.Name)
		}
		if !set {
			at("header", m.Name)
			k.missing(m, fmt.Sprintf(": call Header(%q, …)", m.Name))
		}
	}
}

// named reports whether a member goes by this name.
func named(m *fact.Field, name string) bool { return m.Name == name || slices.Contains(m.Alt, name) }

// text checks a value of path or query, where every type is written as text.
func (k *preflight) text(m *member, value string) {
	if strings.ContainsFunc(value, func(r rune) bool { return r > 0xffff }) {
		k.report(SupplementaryCharacter, unsendable)
	}
	switch kind := m.Type.Element(); {
	case hasSecret(value):
	case m.JSONText:
		k.nested(m, []byte(value))
	case kind == fact.Integer || kind == fact.Number:
		number, err := strconv.ParseFloat(value, 64)
		if errors.Is(err, strconv.ErrSyntax) || kind == fact.Integer && strings.Trim(value, "-0123456789") != "" {
			k.mistyped(m.Field, "it is documented as "+string(kind))
			return
		}
		k.bounds(m.Field, int64(number), false)
		k.constant(m.Field, func(constant any) bool { return equalNumber(constant, number) })
	case kind == fact.Boolean:
		if value != "true" && value != "false" {
			k.mistyped(m.Field, "it is documented as boolean: true or false")
		}
	default:
		k.bounds(m.Field, int64(utf8.RuneCountInString(value)), true)
		k.constant(m.Field, func(constant any) bool { return constant == value })
	}
}

const unsendable = "it has a character that the platform refuses: emoji and others beyond the Basic Multilingual Plane have to be left out"

// constant reports a value that is none of the documented ones, if there is a list.
func (k *preflight) constant(m *fact.Field, is func(constant any) bool) {
	if len(m.Enum) == 0 || slices.ContainsFunc(m.Enum, is) {
		return
	}
	const shown = 8
	list := strings.Trim(fmt.Sprint(m.Enum[:min(len(m.Enum), shown)]), "[]")
	if len(m.Enum) > shown {
		list += " …"
	}
	if m.Reviewed {
		k.reportOf(m, UnknownConstant, true, "it has to be one of "+list, "")
		return
	}
	k.reportOf(m, UnknownConstant, false, "it is none of the documented constants, which may be out of date: "+list, documented)
}

func equalNumber(constant any, number float64) bool {
	switch c := constant.(type) {
	case int64:
		return float64(c) == number
	case float64:
		return c == number
	}
	return false
}

// body checks the JSON text of the request.
func (k *preflight) body(f *flight) {
	k.where, k.param = "body", ""
	text, root := f.body, &f.plan.body
	switch {
	case text == nil && (root.inner == nil || len(f.Operation.In.Form) > 0):
		return
	case text == nil:
		text = []byte("{}")
	case root.inner == nil && string(text) != "{}":
		k.report(UnknownField, "the operation documents no body")
	}
	k.Cursor = jsonwalk.Cursor{Text: text}
	if k.Peek() != '{' {
		k.report(WrongType, "it is not a JSON object")
		k.Skip()
	} else {
		k.object(root)
	}
	k.End()
	if k.Err != nil {
		k.place = k.place[:0]
		k.report(NotJSON, k.Err.Error())
	}
}

// object checks the object that comes next; nothing may be known of it.
func (k *preflight) object(m *member) {
	var few [4]uint64
	seen := few[:]
	var known *shape
	if m != nil && m.inner != nil {
		known = m.inner
		if words := (len(known.rows) + 63) / 64; words > len(few) {
			seen = make([]uint64, words)
		}
	}
	depth := len(k.place)
	for more := k.Enter('}'); more; more = k.More('}') {
		name := k.Name()
		k.place = append(k.place[:depth], step{name: name.Key()})
		if name.Astral {
			k.report(SupplementaryCharacter, unsendable)
		}
		inner := m.find(k.place[depth].name)
		switch {
		case inner == nil && known != nil && k.Err == nil:
			k.report(UnknownField, "the operation documents no such member")
		case inner != nil && k.Peek() != 'n': // null says the same as leaving it out
			seen[inner.index/64] |= 1 << (inner.index % 64)
		}
		k.value(inner, false)
	}
	if known == nil || k.Err != nil {
		k.place = k.place[:depth]
		return
	}
	for _, row := range known.rows {
		if seen[row.index/64]&(1<<(row.index%64)) == 0 && row.Required {
			k.place = append(k.place[:depth], step{name: []byte(row.Name)})
			k.missing(row.Field, "")
		}
	}
	k.place = k.place[:depth]
}

// value checks the value that comes next. element says that it is one of the array that m is.
func (k *preflight) value(m *member, element bool) {
	var want fact.Type
	if m != nil {
		if want = m.Type; element {
			want = want.Element()
		}
	}
	array := want != want.Element()
	switch c := k.Peek(); c {
	case '{':
		if want != fact.Object && m != nil {
			k.mismatch(m.Field, "an object", want)
			m = nil
		}
		k.object(m)
	case '[':
		if m != nil && !array {
			k.mismatch(m.Field, "an array", want)
			m = nil
		}
		depth, index := len(k.place), 0
		for more := k.Enter(']'); more; more = k.More(']') {
			k.place = append(k.place[:depth], step{index: index})
			k.value(m, true)
			index++
		}
		k.place = k.place[:depth]
	case '"':
		text := k.Quoted()
		if text.Astral {
			k.report(SupplementaryCharacter, unsendable)
		}
		if m == nil || k.Err != nil || isSecret(text.Raw) {
			return
		}
		if want != fact.String {
			k.mismatch(m.Field, "a string", want)
			return
		}
		if !m.JSONText && len(m.Enum) == 0 && m.Min == 0 && m.Max == 0 {
			return
		}
		plain, err := text.Unquote()
		if err != nil {
			return // the platform will say so
		}
		k.bounds(m.Field, int64(utf8.RuneCount(plain)), true)
		if m.JSONText {
			k.nested(m, plain)
			return
		}
		k.constant(m.Field, func(constant any) bool { text, ok := constant.(string); return ok && text == string(plain) })
	default:
		word := k.Scalar()
		if len(word) == 0 || word[0] == 'n' || m == nil {
			return
		}
		k.word(m.Field, want, word)
	}
}

// word checks a number, true or false.
func (k *preflight) word(m *fact.Field, want fact.Type, word []byte) {
	switch {
	case word[0] == 't' || word[0] == 'f':
		if want != fact.Boolean {
			k.mismatch(m, "a boolean", want)
			return
		}
		k.constant(m, func(constant any) bool { return constant == (word[0] == 't') })
	case want == fact.Integer && bytes.ContainsAny(word, ".eE"):
		k.mismatch(m, "a number with a fraction or an exponent", want)
	case want != fact.Integer && want != fact.Number:
		k.mismatch(m, "a number", want)
	case len(m.Enum) > 0 || m.Min > 0 || m.Max > 0:
		number, _ := strconv.ParseFloat(string(word), 64)
		k.bounds(m, int64(number), false)
		k.constant(m, func(constant any) bool { return equalNumber(constant, number) })
	}
}

func (k *preflight) mismatch(m *fact.Field, is string, want fact.Type) {
	text := "it is " + is + " and documented as " + string(want)
	switch {
	case want == fact.String && is != "an object" && is != "an array":
		text += ": quote it"
	case is == "a string" && want != want.Element():
		text += ": put it into an array"
	case is == "a string" && want != fact.Object:
		text += ": send " + article(want) + " " + string(want) + " without quotes"
	}
	k.mistyped(m, text)
}

func article(t fact.Type) string {
	if strings.ContainsRune("aeio", rune(t[0])) {
		return "an"
	}
	return "a"
}

// nested checks a JSON text that travels in a string.
func (k *preflight) nested(m *member, text []byte) {
	if len(bytes.TrimSpace(text)) == 0 {
		return
	}
	outer := k.Cursor
	k.Cursor = jsonwalk.Cursor{Text: text, Depth: outer.Depth}
	if k.Peek() == '{' {
		k.object(m)
	} else {
		k.Skip()
	}
	k.End()
	failed := k.Err != nil
	k.Cursor = outer
	if failed {
		k.mistyped(m.Field, "it is documented as a JSON text in a string, and is a text that is not JSON")
	}
}
