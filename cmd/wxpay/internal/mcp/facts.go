package mcp

import (
	"bytes"
	"context"
	"go/token"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/page"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

// place names an operation.
type place struct {
	Method string `json:"method,omitempty" jsonschema:"GET, POST, PUT, PATCH or DELETE; may be left out if the path has one only"`
	Path   string `json:"path" jsonschema:"path of the manual, such as /v3/refund/domestic/refunds, with placeholders or values"`
}

type documented struct {
	place
	spoken
}

type searching struct {
	Text  string `json:"text" jsonschema:"words in Chinese or English: names, parts of the path, fields; all of them have to fit"`
	Limit int    `json:"limit,omitempty" jsonschema:"how many operations at most, 1 to 100; 20 if left out"`
	spoken
}

type requested struct {
	place
	spoken
	Vars  map[string]string `json:"vars,omitempty" jsonschema:"values of the placeholders in path"`
	Query map[string]string `json:"query,omitempty" jsonschema:"parameters of the query, not escaped"`
	Body  map[string]any    `json:"body,omitempty" jsonschema:"the JSON body; encrypted fields in the clear"`

	text []byte // of the body, as it came: no number is rounded
}

type typing struct {
	place
	spoken
	Package string `json:"package,omitempty" jsonschema:"name of the Go package; main if left out"`
}

type failing struct {
	Status int    `json:"status" jsonschema:"HTTP status of the response"`
	Code   string `json:"code,omitempty" jsonschema:"code of the response's body, such as NOT_ENOUGH"`
	Method string `json:"method,omitempty" jsonschema:"of the operation"`
	Path   string `json:"path,omitempty" jsonschema:"of the operation"`
	Signed *bool  `json:"signed,omitempty" jsonschema:"whether the response had a Wechatpay-Signature that was verified; false if left out"`
	spoken
}

func (s *server) addFacts(p *mcp.Server) {
	tool(s, p, "search_operations", shell.Text("Find operations of WeChat Pay APIv3 by words (Chinese or English), the best matches first."),
		true, s.search)
	tool(s, p, "get_operation", shell.Text("Everything that is documented about an operation: fields with labels, samples and limits, error codes, "+
		"whether it moves money, whether it may be repeated, and its query; as JSON."), true, s.get)
	tool(s, p, "check_request", shell.Text("Check a request against the documentation, without sending it. Each finding has its remedy and its "+
		"evidence."), true, s.check)
	tool(s, p, "generate_call", shell.Text("Write the call of an operation in Go, in every style of the client."), true, s.call)
	tool(s, p, "generate_types", shell.Text("Write Go types for the query, the request and the response of an operation."), true, s.types)
	tool(s, p, "explain_error", shell.Text("Explain an error response of the platform: its meaning, whether money may have moved, and the next "+
		"step."), true, s.explain)
}

func (s *server) search(_ context.Context, _ *shell.Shell, in searching) (string, error) {
	const usual, most = 20, 100
	if in.Limit < 0 || in.Limit > most {
		return "", shell.Say("limit is %d: it must be 1 to %d", in.Limit, most)
	}
	if in.Limit == 0 {
		in.Limit = usual
	}
	if strings.TrimSpace(in.Text) == "" {
		return "", shell.Say("text is empty: give words to search for")
	}
	type found struct {
		Method     string `json:"method"`
		Path       string `json:"path"`
		Name       string `json:"name"`
		Status     string `json:"status,omitempty"`
		MovesMoney bool   `json:"moves_money,omitempty"`
	}
	operations := s.sh.Facts().Search(in.Text)
	list := make([]found, 0, in.Limit)
	for _, o := range operations[:min(len(operations), in.Limit)] {
		list = append(list, found{o.Method, o.Path, o.Name, string(o.Status), o.MovesMoney})
	}
	return asJSON(map[string]any{"operations": list, "more": len(operations) - len(list)})
}

// find returns the operations of a place.
func (s *server) find(at place) ([]*fact.Operation, error) {
	method := strings.ToUpper(at.Method)
	if method != "" && !operation.IsMethod(method) {
		return nil, shell.Say("%q is no method of the API", at.Method)
	}
	address, err := operation.ParseAddress(at.Path)
	if err != nil {
		return nil, err
	}
	return operation.Find(s.sh.Facts(), method, address.Path)
}

// one is [server.find] where one operation is wanted.
func (s *server) one(at place) (*fact.Operation, error) {
	operations, err := s.find(at)
	if err == nil && len(operations) > 1 {
		err = shell.Say("%s has %d methods: give one in method", operations[0].Path, len(operations))
	}
	if err != nil {
		return nil, err
	}
	return operations[0], nil
}

// writer writes calls in the names of package api.
var writer = sync.OnceValue(func() *gocode.Writer { return gocode.New(catalog.V3().All()) })

func (s *server) get(_ context.Context, sh *shell.Shell, in documented) (string, error) {
	operations, err := s.find(in.place)
	if err != nil {
		return "", err
	}
	pages := make([]page.Page, len(operations))
	for i, o := range operations {
		pages[i] = s.manuals[languageOf(sh)]().Page(o)
		pages[i].Go, pages[i].Typed = "", "" // generate_call and generate_types have them
	}
	return asJSON(pages)
}

func (s *server) call(_ context.Context, sh *shell.Shell, in documented) (string, error) {
	o, err := s.one(in.place)
	if err != nil {
		return "", err
	}
	return writer().Sample(o, languageOf(sh)), nil
}

func (s *server) types(_ context.Context, sh *shell.Shell, in typing) (string, error) {
	if in.Package == "" {
		in.Package = "main"
	}
	if !token.IsIdentifier(in.Package) || in.Package == "_" {
		return "", shell.Say("the package name %q is not a Go identifier", in.Package)
	}
	o, err := s.one(in.place)
	if err != nil {
		return "", err
	}
	code, err := gocode.Types(o, in.Package, gocode.Prefix(o.Path), languageOf(sh))
	return string(code), err
}

// practice is a sandbox that only gives keys to clients that send nothing.
var practice = sync.OnceValues(func() (*sandbox.Sandbox, error) { return sandbox.New() })

// finding is one result of check_request.
type finding struct {
	Kind      string `json:"kind"`
	Place     string `json:"place"`
	Pointer   string `json:"pointer,omitempty"`
	Label     string `json:"label,omitempty"`
	Text      string `json:"finding"`
	Certainty string `json:"evidence,omitempty"`
}

// ofClient returns a text of the client, or the meaning of an error code, in the language of the shell.
func ofClient(sh *shell.Shell, text string) string {
	if !sh.Chinese {
		return text
	}
	const here = "for this operation it means: "
	if meaning, ok := strings.CutPrefix(text, here); ok {
		return zh.Finding(here + page.Meaning(meaning, language.Chinese))
	}
	return zh.Finding(page.Meaning(text, language.Chinese))
}

// collector takes the findings of a client's checks out of its log.
type collector struct {
	sh    *shell.Shell
	found *[]finding
}

func (collector) Enabled(context.Context, slog.Level) bool { return true }

func (c collector) Handle(_ context.Context, record slog.Record) error {
	attrs := make(map[string]string)
	record.Attrs(func(a slog.Attr) bool {
		attrs[a.Key] = a.Value.String()
		return true
	})
	if text := attrs["finding"]; text != "" {
		*c.found = append(*c.found, finding{
			Kind: ofClient(c.sh, attrs["kind"]), Place: ofClient(c.sh, attrs["place"]), Pointer: attrs["pointer"], Label: attrs["label"],
			Text: ofClient(c.sh, text), Certainty: ofClient(c.sh, attrs["certainty"]),
		})
	}
	return nil
}

func (c collector) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c collector) WithGroup(string) slog.Handler      { return c }

// chain returns the chain of a request.
func (in *requested) chain(client *wxpay.Client) wxpay.Chain {
	c := client.Chain(in.Path)
	for name, value := range in.Vars {
		c = c.Var(name, value)
	}
	for name, value := range in.Query {
		c = c.Query(name, value)
	}
	return c
}

// body returns the body for a verb.
func (in *requested) body() any {
	if in.Body == nil {
		return nil
	}
	return in.text
}

// take keeps the text of the body.
func (in *requested) take(arguments []byte) { in.text = []byte(gjson.GetBytes(arguments, "body").Raw) }

// complete fills the method in, and checks it.
func (in *requested) complete() error {
	in.Method = strings.ToUpper(in.Method)
	switch {
	case in.Method == "" && in.body() != nil:
		in.Method = http.MethodPost
	case in.Method == "":
		in.Method = http.MethodGet
	case !operation.IsMethod(in.Method):
		return shell.Say("%q is no method of the API", in.Method)
	}
	address, err := operation.ParseAddress(in.Path)
	if err != nil {
		return err
	}
	if in.Query == nil {
		in.Query = make(map[string]string)
	}
	for _, pair := range address.Query {
		in.Query[pair.Name] = pair.Value
	}
	in.Path = address.Path
	return nil
}

func (s *server) check(ctx context.Context, sh *shell.Shell, in requested) (string, error) {
	if err := in.complete(); err != nil {
		return "", err
	}
	gateway, err := practice()
	if err != nil {
		return "", err
	}
	found := make([]finding, 0)
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()), wxpay.WithCatalog(s.sh.Facts()),
		wxpay.WithLogger(slog.New(collector{sh, &found})))
	if err != nil {
		return "", err
	}
	defer client.Close()
	result := map[string]any{}
	if err := in.chain(client).Check(ctx, in.Method, in.body()); err != nil {
		result["error"] = err.Error()
	}
	result["findings"] = found
	if len(found) == 0 && result["error"] == nil {
		result["result"] = sh.Words("nothing to find: the documentation has no objection, which does not prove that the platform takes it")
	}
	return asJSON(result)
}

// These are what explain_error says of what a response leaves open, and of the next step.
var (
	noPlace  = shell.Text("give method and path to learn whether money may have moved")
	excluded = shell.Text("none: this rejection excludes an effect of this request; an earlier one with the same number may have had one")
	wasRead  = shell.Text("none: it was a read")
	mayMove  = shell.Text("unknown: money may have moved; query by the number before anything is repeated, and never take another number")
	mayWork  = shell.Text("unknown: it may have taken effect")

	next = map[wxcode.Class]string{
		wxcode.ClassSame:  shell.Text("send the same again: same number, same parameters"),
		wxcode.ClassWait:  shell.Text("wait, then send the same again: same number, same parameters"),
		wxcode.ClassQuery: shell.Text("query by the number first; send the same again only if nothing exists; never change the number before"),
		wxcode.ClassFix:   shell.Text("never send it again unchanged: correct what is wrong"),
		wxcode.ClassDone:  shell.Text("nothing: the wanted state already holds"),
	}
)

func (s *server) explain(_ context.Context, sh *shell.Shell, in failing) (string, error) {
	if in.Status < 100 || in.Status > 599 {
		return "", shell.Say("status is %d: it must be an HTTP status", in.Status)
	}
	info := wxcode.Of(in.Status, wxcode.Code(in.Code))
	result := map[string]any{"whole_merchant": info.Merchant}
	result["meaning"] = sh.Words("the code is not in the list, so the status alone was looked at")
	if info.Meaning != "" {
		result["meaning"] = ofClient(sh, info.Meaning)
	}
	if info.Note != "" {
		result["note"] = ofClient(sh, info.Note)
	}
	class, moves := info.Money, false // the careful reading, while the operation is not known
	var o *fact.Operation
	if in.Path != "" {
		var err error
		if o, err = s.one(place{in.Method, in.Path}); err != nil {
			return "", err
		}
		if moves = o.MovesMoney; !moves {
			class = info.Class
		}
		for _, c := range o.Codes {
			if c.Name == in.Code && c.Meaning != "" {
				result["meaning_here"] = ofClient(sh, c.Meaning)
			}
		}
		if o.Link != nil {
			result["query"] = "GET " + o.Link.Query
		}
	}
	result["moves_money"] = moves
	signed := in.Signed != nil && *in.Signed
	effect := mayWork
	switch {
	case o == nil:
		effect = noPlace
	case signed && in.Status/100 == 4 && in.Code != "" && (!moves || o.Excluded(in.Code)):
		effect = excluded
	case o.Method == http.MethodGet:
		effect = wasRead
	case moves:
		effect = mayMove
	}
	result["effect"], result["class"], result["next"] = sh.Words(effect), class, sh.Words(next[class])
	return asJSON(result)
}

// markdown returns the pages of a place for a resource.
func (s *server) markdown(at place) (string, error) {
	operations, err := s.find(at)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	for _, o := range operations {
		p := s.manuals[languageOf(s.sh)]().Page(o)
		p.Markdown(&out)
	}
	return out.String(), nil
}
