package send

import (
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// Call is a request as code writes it.
type Call struct {
	Method   string
	Template string // path with placeholders
	Path     []Pair // their values, in their order
	Query    []Pair
	Body     string // empty for none
	Serial   string // Wechatpay-Serial that encrypted fields of the body belong to; empty if they are plain
	Merchant string
}

// Pair is a name with its value.
type Pair struct{ Name, Value string }

// CallOf reads a request back.
func CallOf(facts *catalog.Catalog, method, target, body, serial, merchant string) Call {
	path, query, _ := strings.Cut(target, "?")
	c := Call{Method: method, Template: path, Body: body, Serial: serial, Merchant: merchant}
	if operation, ok := facts.Lookup(method, path); ok {
		c.Template = operation.Path
		segments := strings.Split(path, "/")
		for i, segment := range strings.Split(operation.Path, "/") {
			if name, ok := fact.Placeholder(segment); ok && i < len(segments) {
				value, err := url.PathUnescape(segments[i])
				if err != nil {
					value = segments[i]
				}
				c.Path = append(c.Path, Pair{name, value})
			}
		}
	}
	values, _ := url.ParseQuery(query) // what cannot be read is left out
	for name, list := range values {
		for _, value := range list {
			c.Query = append(c.Query, Pair{name, value})
		}
	}
	sort.SliceStable(c.Query, func(i, j int) bool { return c.Query[i].Name < c.Query[j].Name })
	return c
}

// Line is the call as a command line.
func (c Call) Line() string {
	var out strings.Builder
	fmt.Fprintf(&out, "wxpay call %s %s", c.Method, word(strings.TrimPrefix(c.Template, "/")))
	add := func(flag, value string) { out.WriteString(" \\\n    " + flag + " " + word(value)) }
	for _, p := range c.Path {
		add("--var", p.Name+"="+p.Value)
	}
	for _, p := range c.Query {
		add("-q", p.Name+"="+p.Value)
	}
	if c.Serial != "" && c.Body != "" {
		add("-H", apiv3.HeaderSerial+": "+c.Serial)
	}
	if c.Body != "" {
		add("-d", c.Body)
	}
	return out.String()
}

// word quotes a word for sh where that is needed.
func word(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/_-=.:,@%+", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Test is the call as a Go test.
func (c Call) Test() string {
	option := ""
	if c.Merchant != "" && c.Merchant != "1900000109" {
		option = fmt.Sprintf(", sandbox.WithMerchant(%q)", c.Merchant)
	}
	return "func TestCall(t *testing.T) {\n" +
		"\tgateway := sandbox.Start(t" + option + ")\n" +
		"\tclient, err := wxpay.FromLookupEnv(gateway.LookupEnv)\n\trequire.NoError(t, err)\n" +
		"\tresponse, err := " + strings.ReplaceAll(c.chain(), "\n", "\n\t") + "\n\trequire.NoError(t, err)\n\tt.Log(response.Status)\n}\n"
}

// chain is the call in the declarative style.
func (c Call) chain() string {
	var out strings.Builder
	fmt.Fprintf(&out, "client.Chain(%s", strconv.Quote(strings.TrimPrefix(c.Template, "/")))
	for _, p := range c.Path {
		out.WriteString(", " + strconv.Quote(p.Value))
	}
	out.WriteString(")")
	for _, p := range c.Query {
		fmt.Fprintf(&out, ".\n\tQuery(%q, %s)", p.Name, strconv.Quote(p.Value))
	}
	if c.Serial != "" && c.Body != "" {
		fmt.Fprintf(&out, ".\n\tHeader(%q, %q)", apiv3.HeaderSerial, c.Serial)
	}
	body := "nil"
	if c.Body != "" {
		body = "json.RawMessage(" + literal(c.Body) + ")"
	}
	fmt.Fprintf(&out, ".\n\tDo(t.Context(), %q, %s)", c.Method, body)
	return out.String()
}

// literal is a Go string.
func literal(text string) string {
	if strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}
